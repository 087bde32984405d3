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

/** A crud with a number. A higher number is newer. */
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

/** The text of the live region. */
function said(): string {
  return main()
    .getAllByRole("status")
    .map((status) => status.textContent)
    .join("");
}

/** Show the home feed, then let the server return newer cruds. */
async function showThen(before: Crud[], after: Crud[]) {
  server.on("get", HOME, ok(before));
  const shown = showPage("/");
  await settle();
  await settle();
  server.on("get", HOME, ok(after));
  return shown;
}

/** The page polls for new cruds every 20 seconds. */
async function look(): Promise<void> {
  await pass(21 * SECOND);
}

describe("the home feed", () => {
  test("is shown to visitors without the composer", async () => {
    server.on("get", HOME, ok([numbered(1)]));
    showPage("/");
    await settle();
    expect(listed()).toEqual(["Crud 1"]);
    expect(document.title).toBe("Home · Cruddur");
    expect(main().queryByRole("form", { name: "New crud" })).not.toBeInTheDocument();
    expect(screen.getByRole("region", { name: "Join" })).toBeInTheDocument();
  });

  test("invites a visitor to join when it is empty", async () => {
    showPage("/");
    expect(await main().findByText("No cruds right now")).toBeInTheDocument();
    expect(main().getByRole("link", { name: "Join now" })).toHaveAttribute("href", "/signup");
  });

  test("has the composer for a member", async () => {
    signIn();
    showPage("/");
    expect(await main().findByText("No cruds right now")).toBeInTheDocument();
    expect(main().getByRole("form", { name: "New crud" })).toBeInTheDocument();
    expect(main().queryByRole("link", { name: "Join now" })).not.toBeInTheDocument();
    expect(screen.queryByRole("region", { name: "Join" })).not.toBeInTheDocument();
  });
});

describe("new cruds", () => {
  test("are added and announced while the viewer is at the top", async () => {
    await showThen([numbered(1)], [numbered(3), numbered(2), numbered(1)]);
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("");
    await look();
    expect(listed()).toEqual(["Crud 3", "Crud 2", "Crud 1"]);
    expect(said()).toBe("2 new cruds");
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("wait behind a button while the viewer has scrolled down", async () => {
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

  test("are added when the viewer scrolls back to the top", async () => {
    await showThen([numbered(1)], [numbered(2), numbered(1)]);
    await scrollTo(1000);
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    await scrollTo(0);
    await settle();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("that fill more than one page leave no gap", async () => {
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

  test("do not include the member's own pending crud", async () => {
    signIn();
    const own = ownCrud({ uuid: uuid(9), message: "Mine", created_at: at(9 * SECOND) });
    await showThen([numbered(1)], [own, numbered(1)]);
    const answer = server.hold("post", "/api/activities");
    await pass(10 * SECOND);
    const before = server.sent("get", HOME).length;
    fireEvent.change(screen.getByRole("textbox", { name: /on your mind/ }), {
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

  test("are added to an empty feed", async () => {
    await showThen([], [numbered(1)]);
    expect(main().getByText("No cruds right now")).toBeInTheDocument();
    await look();
    expect(listed()).toEqual(["Crud 1"]);
  });

  test("do not include listed or older cruds", async () => {
    const before = [numbered(3), numbered(2)];
    await showThen(before, [numbered(3), numbered(2), numbered(1)]);
    await look();
    expect(listed()).toEqual(["Crud 3", "Crud 2"]);
    expect(said()).toBe("");
  });

  test("do not include expired cruds", async () => {
    const after = [numbered(2, { expires_at: at(10 * SECOND) }), numbered(1)];
    await showThen([numbered(1)], after);
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("");
  });

  test("of other users appear even if the member's own crud is newer", async () => {
    signIn();
    const own = ownCrud({ uuid: uuid(9), message: "Mine", created_at: at(9 * SECOND) });
    await showThen([numbered(1)], [own, numbered(2), numbered(1)]);
    server.on("post", "/api/activities", ok(own));
    fireEvent.change(screen.getByRole("textbox", { name: /on your mind/ }), {
      target: { value: "Mine" },
    });
    fireEvent.submit(screen.getByRole("form", { name: "New crud" }));
    await settle();
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    await look();
    expect(listed()).toEqual(["Mine", "Crud 2", "Crud 1"]);
  });

  test("are requested again after a failure", async () => {
    await showThen([numbered(1)], []);
    server.on("get", HOME, unreachable(), refuse(500, "generic_500"), ok([numbered(2)]));
    await look();
    expect(listed()).toEqual(["Crud 1"]);
    await look();
    await look();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(main().queryByRole("alert")).not.toBeInTheDocument();
  });

  test("are not requested while the page is hidden", async () => {
    await showThen([numbered(1)], [numbered(1)]);
    const before = server.sent("get", HOME).length;
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    await pass(HOUR / 10);
    expect(server.sent("get", HOME)).toHaveLength(before);
  });
});
