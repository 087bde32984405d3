import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { chooseLanguage, locale, startLanguage, t } from "../../src/language";
import { localeOf, preferredLanguage } from "../../src/language/choice";
import { t as further } from "../../src/language/further";
import { notify } from "../../src/notices";
import { compactNumber } from "../../src/text/numbers";
import { exactTime, goneTime, timeAgo, timeLeft, timeSince } from "../../src/text/time";
import { crud, device, notes, profile, secondFactor, signIn, WORF } from "../support/make";
import { open, showPage } from "../support/page";
import { ok, servePage } from "../support/server";
import { at, DAY, HOUR, MINUTE, NOW, SECOND, settle } from "../support/time";

afterEach(async () => {
  await chooseLanguage("en");
});

/** Let the browser prefer these languages. */
function prefer(...languages: string[]): void {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(languages);
}

function chooser(): HTMLElement {
  return screen.getByRole("combobox", { name: /Language of this page|Sprache dieser Seite/ });
}

describe("the language", () => {
  test.each([
    [["de"], "de", "de"],
    [["de-AT", "en"], "de", "de-AT"],
    [["DE-CH"], "de", "DE-CH"],
    [["fr-FR", "de-DE", "en"], "de", "de-DE"],
    [["en-GB", "de"], "en", "en-GB"],
    [["fr-FR"], "en", "en"],
    [["den-CA", "de@euro"], "en", "en"],
    [["constructor"], "en", "en"],
    [[], "en", "en"],
  ])("of a browser that prefers %j is %s, in the locale %s", (languages, language, tag) => {
    prefer(...languages);
    expect(preferredLanguage()).toBe(language);
    expect(localeOf(preferredLanguage())).toBe(tag);
  });

  test("that was chosen on this device comes first", () => {
    prefer("en-GB", "fr");
    localStorage.setItem("cruddur.language", "de");
    expect(preferredLanguage()).toBe("de");
    localStorage.setItem("cruddur.language", "tlh");
    expect(preferredLanguage()).toBe("en");
  });

  test("is remembered, and announced by the document", async () => {
    await chooseLanguage("de");
    expect(localStorage.getItem("cruddur.language")).toBe("de");
    expect(document.documentElement.lang).toBe("de");
    await chooseLanguage("en");
    expect(localStorage.getItem("cruddur.language")).toBe("en");
    expect(document.documentElement.lang).toBe("en");
  });

  test("is the last of two choices", async () => {
    await Promise.all([chooseLanguage("de"), chooseLanguage("en")]);
    expect(document.documentElement.lang).toBe("en");
    expect(t.home.title).toBe("Home");
  });

  test("is that of every message, also of the further pages", async () => {
    await chooseLanguage("de");
    expect([t.home.title, further.home.title]).toEqual(["Start", "Start"]);
    expect(further.settings.title).toBe("Einstellungen");
    await chooseLanguage("en");
    expect([t.home.title, further.home.title]).toEqual(["Home", "Home"]);
    expect(further.settings.title).toBe("Settings");
  });
});

describe("in German", () => {
  test("times and numbers are those of Germany or of the browser's variant", async () => {
    prefer("en-GB");
    await chooseLanguage("de");
    expect(locale).toBe("de");
    expect(timeSince(at(-3 * HOUR), NOW)).toBe("3 h");
    expect(timeAgo(at(-DAY), NOW)).toBe("vor 1 Tag");
    expect(timeAgo(at(-6 * DAY), NOW)).toBe("vor 6 Tagen");
    expect(timeLeft(at(29 * DAY + 23 * HOUR), NOW)).toBe("29 T 23 h");
    expect(timeLeft(at(4 * MINUTE + 9 * SECOND), NOW)).toBe("4 min 09 s");
    expect(goneTime(new Date(2026, 10, 25, 14, 20).getTime(), NOW)).toBe("Weg heute um 14:20");
    expect(goneTime(new Date(2026, 10, 28, 14, 20).getTime(), NOW)).toBe("Weg am Samstag um 14:20");
    expect(goneTime(new Date(2026, 11, 7, 14, 20).getTime(), NOW)).toBe(
      "Weg am 7. Dezember um 14:20",
    );
    expect(exactTime("2026-11-25T12:00:00Z")).toMatch(/^Mittwoch, 25\. November 2026/);
    expect(compactNumber(1_200_000)).toMatch(/^1,2\s+Mio\.$/);
    prefer("de-AT");
    await chooseLanguage("de");
    expect(locale).toBe("de-AT");
    expect(exactTime("2026-01-25T12:00:00Z")).toContain("Jänner");
  });

  test("the page begins in German if the browser prefers it", async () => {
    prefer("de-DE", "en");
    const server = servePage();
    server.on("get", "/api/activities/home", ok([crud({ replies_count: 2 })]));
    await startLanguage();
    open("/");
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Start");
    expect(document.title).toBe("Start · Cruddur");
    expect(screen.getByRole("button", { name: "Antworten, 2 Antworten" })).toBeVisible();
    expect(localStorage.getItem("cruddur.language")).toBeNull();
  });

  test("a verb agrees with its people", async () => {
    await chooseLanguage("de");
    signIn();
    const server = servePage();
    const groups = [1, 2, 3, 9].map((actors_count) =>
      notes({
        kind: "like",
        actors_count,
        actors: ["Gus", "Ravi", "Kim"].slice(0, actors_count).map((display_name, index) => ({
          ...WORF,
          uuid: `${actors_count}-${index}`,
          display_name,
        })),
        activity: crud({ uuid: `00000000-0000-4000-8000-00000000000${actors_count}` }),
      }),
    );
    server.on("get", "/api/notifications", ok(groups));
    showPage("/notifications");
    await settle();
    const main = within(screen.getByRole("main"));
    const said = main.getAllByText(/deinen Crud/).map((one) => one.textContent.split(" ·")[0]);
    expect(said).toEqual([
      "Gus mag deinen Crud",
      "Gus und Ravi mögen deinen Crud",
      "Gus, Ravi und 1 weitere Person mögen deinen Crud",
      "Gus, Ravi und 7 weitere mögen deinen Crud",
    ]);
  });
});

describe("the choice in the settings", () => {
  test("changes the whole page at once, and keeps the focus", async () => {
    signIn();
    const server = servePage();
    server.on("get", "/api/auth/sessions", ok([device({ current: true })]));
    server.on("get", "/api/auth/tokens", ok([]));
    server.on("get", "/api/auth/second-factor", ok(secondFactor()));
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(WORF), activities: [] }));
    open("/settings");
    await settle();
    notify("From before");
    chooser().focus();
    expect(chooser()).toHaveValue("en");
    fireEvent.change(chooser(), { target: { value: "de" } });
    await settle();
    expect(chooser()).toHaveValue("de");
    expect(chooser()).toHaveFocus();
    expect(chooser()).toHaveAccessibleDescription(/E-Mails von Cruddur sind auf Englisch/);
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Einstellungen");
    expect(document.title).toBe("Einstellungen · Cruddur");
    expect(screen.getByRole("navigation", { name: "Hauptmenü" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Ausblenden" })).toBeVisible();
    fireEvent.change(chooser(), { target: { value: "en" } });
    await settle();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Settings");
    expect(chooser()).toHaveFocus();
  });
});
