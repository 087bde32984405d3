import { fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Crud } from "../../src/api/wire";
import { crud, ownCrud, signIn, uuid } from "../support/make";
import { showPage } from "../support/page";
import { ok, refuse, type Server, servePage, unreachable } from "../support/server";
import { scrollTo } from "../support/sight";
import { at, HOUR, pass, SECOND, settle } from "../support/time";

const HOME = "/api/activities/home";

let server: Server;

beforeEach(async () => {
  server = servePage();
  await scrollTo(0);
});

/** The crud with a number; the higher, the newer. */
function numbered(number: number, change: Partial<Crud> = {}): Crud {
  const created_at = at(-HOUR + number * SECOND);
  return crud({ uuid: uuid(number), message: `Crud ${number}`, created_at, ...change });
}

function main() {
  return within(screen.getByRole("main"));
}

function listed(): (string | null | undefined)[] {
  return main()
    .queryAllByRole("article")
    .map((article) => article.querySelector(".rich")?.textContent);
}

/** What is read aloud. */
function said(): string {
  return main()
    .getAllByRole("status")
    .map((status) => status.textContent)
    .join("");
}

/** Show the home feed, and let newer cruds come. */
async function showThen(before: Crud[], after: Crud[]) {
  server.on("get", HOME, ok(before));
  const shown = showPage("/");
  await settle();
  await settle();
  server.on("get", HOME, ok(after));
  return shown;
}

/** The page looks for new cruds every 20 seconds. */
async function look(): Promise<void> {
  await pass(21 * SECOND);
}

describe("the home feed", () => {
  test("is there for visitors, who cannot write", async () => {
    server.on("get", HOME, ok([numbered(1)]));
    showPage("/");
    await settle();
    expect(listed()).toEqual(["Crud 1"]);
    expect(document.title).toBe("Home · Cruddur");
    expect(main().queryByRole("form", { name: "New crud" })).not.toBeInTheDocument();
    expect(screen.getByRole("region", { name: "Join" })).toBeInTheDocument();
  });

  test("invites a visitor when nothing is alive", async () => {
    showPage("/");
    expect(await main().findByText("All forgotten")).toBeInTheDocument();
    expect(main().getByRole("link", { name: "Join now" })).toHaveAttribute("href", "/signup");
  });

  test("has the form for a member", async () => {
    signIn();
    showPage("/");
    expect(await main().findByText("All forgotten")).toBeInTheDocument();
    expect(main().getByRole("form", { name: "New crud" })).toBeInTheDocument();
    expect(main().queryByRole("link", { name: "Join now" })).not.toBeInTheDocument();
    expect(screen.queryByRole("region", { name: "Join" })).not.toBeInTheDocument();
  });
});

describe("new cruds", () => {
  test("come to their place before the eyes of who is at the top, and are told", async () => {
    await showThen([numbered(1)], [numbered(3), numbered(2), numbered(1)]);
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("");
    await look();
    expect(listed()).toEqual(["Crud 3", "Crud 2", "Crud 1"]);
    expect(said()).toBe("2 new cruds");
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("wait behind a button for who has scrolled down", async () => {
    const { user } = await showThen([numbered(1)], [numbered(2), numbered(1)]);
    await scrollTo(1000);
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("1 new crud");
    server.on("get", HOME, ok([numbered(3), numbered(2), numbered(1)]));
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("2 new cruds");
    await user.click(main().getByRole("button", { name: "2 new cruds" }));
    await settle();
    expect(listed()).toEqual(["Crud 3", "Crud 2", "Crud 1"]);
    expect(scrollY).toBe(0);
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("come when one scrolls back to the top", async () => {
    await showThen([numbered(1)], [numbered(2), numbered(1)]);
    await scrollTo(1000);
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    await scrollTo(0);
    await settle();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("that are more than were looked at leave no gap", async () => {
    server.on("get", HOME, ok([numbered(1)]));
    const { user } = showPage("/");
    await settle();
    await settle();
    await scrollTo(1000);
    server.on("get", HOME, ok([numbered(5), numbered(4)], { next: "c3" }));
    await look();
    server.on("get", HOME, ok([numbered(3), numbered(2), numbered(1)]));
    await user.click(main().getByRole("button", { name: "2+ new cruds" }));
    await settle();
    expect(listed()).toEqual(["Crud 5", "Crud 4"]);
    await user.click(main().getByRole("button", { name: "Show more" }));
    await settle();
    expect(listed()).toEqual(["Crud 5", "Crud 4", "Crud 3", "Crud 2", "Crud 1"]);
  });

  test("are not what oneself is sending", async () => {
    signIn();
    const own = ownCrud({ uuid: uuid(9), message: "Mine", created_at: at(9 * SECOND) });
    await showThen([numbered(1)], [own, numbered(1)]);
    const answer = server.hold("post", "/api/activities");
    await pass(10 * SECOND);
    const before = server.sent("get", HOME).length;
    fireEvent.change(screen.getByRole("textbox", { name: /forgotten soon/ }), {
      target: { value: "Mine" },
    });
    fireEvent.submit(screen.getByRole("form", { name: "New crud" }));
    await pass(12 * SECOND);
    expect(server.sent("get", HOME).length).toBeGreaterThan(before);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    answer.release(ok(own));
    await look();
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    expect(said()).toBe("");
  });

  test("come into an empty feed", async () => {
    await showThen([], [numbered(1)]);
    expect(main().getByText("All forgotten")).toBeInTheDocument();
    await look();
    expect(listed()).toEqual(["Crud 1"]);
  });

  test("are not those that are there already, nor what is older than the list", async () => {
    const before = [numbered(3), numbered(2)];
    await showThen(before, [numbered(3), numbered(2), numbered(1)]);
    await look();
    expect(listed()).toEqual(["Crud 3", "Crud 2"]);
    expect(said()).toBe("");
  });

  test("are not those whose time is up", async () => {
    const after = [numbered(2, { expires_at: at(10 * SECOND) }), numbered(1)];
    await showThen([numbered(1)], after);
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("");
  });

  test("of others come also after an own one that is newer", async () => {
    signIn();
    const own = ownCrud({ uuid: uuid(9), message: "Mine", created_at: at(9 * SECOND) });
    await showThen([numbered(1)], [own, numbered(2), numbered(1)]);
    server.on("post", "/api/activities", ok(own));
    fireEvent.change(screen.getByRole("textbox", { name: /forgotten soon/ }), {
      target: { value: "Mine" },
    });
    fireEvent.submit(screen.getByRole("form", { name: "New crud" }));
    await settle();
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    await look();
    expect(listed()).toEqual(["Mine", "Crud 2", "Crud 1"]);
  });

  test("are looked for again where a look failed", async () => {
    await showThen([numbered(1)], []);
    server.on("get", HOME, unreachable(), refuse(500, "generic_500"), ok([numbered(2)]));
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    await look();
    await look();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(main().queryByRole("alert")).not.toBeInTheDocument();
  });

  test("are not looked for while nobody looks at the page", async () => {
    await showThen([numbered(1)], [numbered(1)]);
    const before = server.sent("get", HOME).length;
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    await pass(HOUR / 10);
    expect(server.sent("get", HOME)).toHaveLength(before);
  });
});
