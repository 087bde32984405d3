import { screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Crud } from "../../src/api/wire";
import { counts, crud, ownCrud, profile, signIn, uuid, WORF } from "../support/make";
import { type Shown, showPage } from "../support/page";
import { ok, refuse, type Server, servePage, unreachable } from "../support/server";
import { pass, SECOND, settle } from "../support/time";

const LIKE = "/api/activities/{uuid}/like";
const REPOST = "/api/activities/{uuid}/repost";
const CRUD = "/api/activities/{uuid}";

// Formatted for the locale of the test run: 1.2K in English.
const compact = new Intl.NumberFormat(navigator.language, { notation: "compact" });

let server: Server;

beforeEach(() => {
  server = servePage();
});

/** Show the home feed with one crud to a member or a visitor. */
async function showHome(listed: Crud, isMember = true): Promise<Shown> {
  if (isMember) {
    signIn();
  }
  server.on("get", "/api/activities/home", ok([listed]));
  const shown = showPage("/");
  await screen.findByRole("article");
  return shown;
}

function button(name: RegExp | string): HTMLElement {
  return within(screen.getByRole("article")).getByRole("button", { name });
}

function like(): HTMLElement {
  return button(/^Like/);
}

function isLiked(): boolean {
  return like().getAttribute("aria-pressed") === "true";
}

function notices(): HTMLElement {
  return screen.getByRole("status", { name: "Notices" });
}

/** The methods of the like requests, in order. */
function presses(): string[] {
  return server.requests.filter(({ url }) => url.pathname.endsWith("/like")).map((r) => r.method);
}

describe("the buttons", () => {
  test("show the counts, and which reactions are on", async () => {
    await showHome(
      crud({ replies_count: 2, reposts_count: 1234, likes_count: 7, liked: true, reposted: false }),
    );
    expect(button("Reply, 2 replies")).not.toHaveAttribute("aria-pressed");
    expect(button("Repost, 1234 reposts")).toHaveAttribute("aria-pressed", "false");
    expect(button("Repost, 1234 reposts")).toHaveTextContent(compact.format(1234));
    expect(button("Like, 7 likes")).toHaveAttribute("aria-pressed", "true");
    expect(button("Share")).not.toHaveAttribute("aria-pressed");
  });

  test("show no number for zero", async () => {
    await showHome(crud());
    for (const each of within(screen.getByRole("article")).getAllByRole("button")) {
      expect(each).toHaveTextContent("");
    }
  });

  test("include Delete only for the author", async () => {
    await showHome(crud());
    expect(screen.queryByRole("button", { name: "Delete" })).not.toBeInTheDocument();
  });

  test.each([
    [/^Reply/, "Sign in to reply"],
    [/^Repost/, "Sign in to repost"],
    [/^Like/, "Sign in to like"],
  ])("ask a visitor to sign in: %s", async (name, title) => {
    const { user, address } = await showHome(crud({ likes_count: 1 }), false);
    await user.click(button(name));
    expect(address()).toBe("/signin");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent(title);
    expect(presses()).toEqual([]);
  });
});

describe.each([
  ["like", LIKE, "liked", "likes_count"],
  ["repost", REPOST, "reposted", "reposts_count"],
] as const)("a %s", (reaction, path, done, count) => {
  const name = new RegExp(`^${reaction}`, "i");

  test("is shown at once, then with the server's count", async () => {
    const answer = server.hold("put", path);
    const { user } = await showHome(crud({ [count]: 2 }));
    await user.click(button(name));
    expect(button(name)).toHaveAttribute("aria-pressed", "true");
    expect(button(name)).toHaveTextContent("3");
    answer.release(ok(counts({ [done]: true, [count]: 12 })));
    await waitFor(() => expect(button(name)).toHaveTextContent("12"));
    expect(button(name)).toHaveAttribute("aria-pressed", "true");
    expect(server.sent("put", path)[0]?.url.pathname).toBe(path.replace("{uuid}", uuid(100)));
  });

  test("is removed in the same way", async () => {
    const answer = server.hold("delete", path);
    const { user } = await showHome(crud({ [done]: true, [count]: 1 }));
    await user.click(button(name));
    expect(button(name)).toHaveAttribute("aria-pressed", "false");
    expect(button(name)).toHaveTextContent("");
    answer.release(ok(counts()));
    await settle();
    expect(button(name)).toHaveAttribute("aria-pressed", "false");
  });

  test("that the server rejects is undone, with a notice", async () => {
    server.on("put", path, refuse(500, "generic_500"));
    const { user } = await showHome(crud({ [count]: 2 }));
    await user.click(button(name));
    await waitFor(() => expect(notices()).toHaveTextContent("Something went wrong on our side."));
    const [, trace = ""] =
      server.sent("put", path)[0]?.headers.get("traceparent")?.split("-") ?? [];
    expect(trace).not.toBe("");
    expect(notices()).toHaveTextContent(`Trace ${trace}`);
    expect(button(name)).toHaveAttribute("aria-pressed", "false");
    expect(button(name)).toHaveTextContent("2");
  });
});

test("an undone repost disappears from the member's profile", async () => {
  signIn();
  const reposted = crud({ reposted: true, reposts_count: 1, reposted_by: WORF.handle });
  const listed = [reposted, ownCrud({ uuid: uuid(101) })];
  server.on("get", "/api/activities/@{handle}", ok({ profile: profile(WORF), activities: listed }));
  server.on("delete", REPOST, ok(counts()));
  const { user } = showPage("/@worf");
  const row = await screen.findByRole("article", { name: "Crud by Londo Mollari" });
  await user.click(within(row).getByRole("button", { name: "Repost, 1 repost" }));
  await settle();
  expect(row).not.toBeInTheDocument();
  expect(screen.getByRole("article")).toHaveAccessibleName("Crud by Worf");
});

describe("pressing repeatedly", () => {
  test("sends the requests in order, one after the other", async () => {
    const on = server.hold("put", LIKE);
    const off = server.hold("delete", LIKE);
    const { user } = await showHome(crud());
    await user.click(like());
    await user.click(like());
    await user.click(like());
    expect(isLiked()).toBe(true);
    expect(presses()).toEqual(["PUT"]);
    on.release(ok(counts({ liked: true, likes_count: 1 })));
    await settle();
    expect(presses()).toEqual(["PUT", "DELETE"]);
    off.release(ok(counts()));
    await settle();
    expect(presses()).toEqual(["PUT", "DELETE", "PUT"]);
    on.release(ok(counts({ liked: true, likes_count: 1 })));
    await settle();
    expect(isLiked()).toBe(true);
    expect(like()).toHaveTextContent("1");
  });

  test("always shows the last press", async () => {
    const on = server.hold("put", LIKE);
    const off = server.hold("delete", LIKE);
    const { user } = await showHome(crud());
    await user.click(like());
    await user.click(like());
    expect(isLiked()).toBe(false);
    on.release(ok(counts({ liked: true, likes_count: 1 })));
    await settle();
    expect(isLiked()).toBe(false);
    off.release(ok(counts()));
    await settle();
    expect(isLiked()).toBe(false);
    expect(presses()).toEqual(["PUT", "DELETE"]);
  });

  test("ends with the server's state, even after a failure", async () => {
    const on = server.hold("put", LIKE);
    const off = server.hold("delete", LIKE);
    const { user } = await showHome(crud());
    await user.click(like());
    await user.click(like());
    on.release(refuse(500, "generic_500"));
    await settle();
    expect(isLiked()).toBe(false);
    off.release(ok(counts()));
    await settle();
    expect(isLiked()).toBe(false);
    expect(like()).toHaveTextContent("");
    expect(presses()).toEqual(["PUT", "DELETE"]);
    await user.click(like());
    await user.click(like());
    on.release(ok(counts({ liked: true, likes_count: 1 })));
    await settle();
    off.release(refuse(500, "generic_500"));
    await settle();
    expect(isLiked()).toBe(true);
    expect(like()).toHaveTextContent("1");
  });

  test("is shown in every list that has the crud", async () => {
    server.on("put", LIKE, ok(counts({ liked: true, likes_count: 1 })));
    server.on(
      "get",
      "/api/activities/@{handle}/status/{uuid}",
      ok({ activity: crud(), replies: [] }),
    );
    const { user } = await showHome(crud());
    await user.click(screen.getByText("I do not like Santa Claus"));
    await screen.findByText("No replies yet");
    await user.click(like());
    await settle();
    await user.click(screen.getByRole("link", { name: "Home" }));
    await screen.findByRole("link", { name: /^\d+[sm]$/ });
    expect(isLiked()).toBe(true);
  });
});

describe("deleting", () => {
  const own = ownCrud();

  /** Open the confirmation dialog. */
  async function ask(): Promise<Shown> {
    const shown = await showHome(own);
    await shown.user.click(button("Delete"));
    expect(screen.getByRole("dialog", { name: "Delete this crud?" })).toBeVisible();
    return shown;
  }

  test("can be confirmed or canceled, and canceling has the focus", async () => {
    await ask();
    const buttons = within(screen.getByRole("dialog")).getAllByRole("button");
    expect(buttons.map((each) => each.textContent)).toEqual(["", "Cancel", "Delete"]);
    expect(buttons[1]).toHaveFocus();
  });

  function confirmButton(): HTMLElement {
    return within(screen.getByRole("dialog")).getByRole("button", { name: "Delete" });
  }

  test("asks for confirmation", async () => {
    const { user } = await ask();
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(screen.getByRole("article")).toBeInTheDocument();
    expect(server.sent("delete", CRUD)).toHaveLength(0);
  });

  test("removes the crud at once and permanently", async () => {
    const answer = server.hold("delete", CRUD);
    const { user } = await ask();
    await user.click(confirmButton());
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(server.sent("delete", CRUD)[0]?.url.pathname).toBe(`/api/activities/${own.uuid}`);
    server.on("get", "/api/activities/home", ok([]));
    answer.release(ok({ uuid: own.uuid, status: "deleted" }));
    await settle();
    expect(screen.getByText("No cruds right now")).toBeInTheDocument();
    await pass(25 * SECOND);
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
  });

  test("moves the focus to the next crud", async () => {
    signIn();
    const next = crud({ uuid: uuid(101), created_at: own.created_at });
    server.on("get", "/api/activities/home", ok([own, next]));
    server.on("delete", CRUD, ok({ uuid: own.uuid, status: "deleted" }));
    const { user } = showPage("/");
    await user.click(await screen.findByRole("button", { name: "Delete" }));
    await user.click(confirmButton());
    await pass(SECOND);
    expect(within(screen.getByRole("article")).getByRole("link", { name: "1m" })).toHaveFocus();
  });

  test("does not list the crud as a new one", async () => {
    server.on("delete", CRUD, ok({ uuid: own.uuid, status: "deleted" }));
    const { user } = await ask();
    await pass(SECOND);
    await user.click(confirmButton());
    await pass(SECOND);
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
  });

  test("is not undone by a request for new cruds that started before", async () => {
    const { user } = await ask();
    await settle();
    const look = server.hold("get", "/api/activities/home");
    await pass(20 * SECOND);
    expect(look.count).toBe(1);
    server.on("delete", CRUD, ok({ uuid: own.uuid, status: "deleted" }));
    await user.click(confirmButton());
    await settle();
    look.release(ok([own]));
    await pass(SECOND);
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
  });

  test("that fails shows the crud again, with a notice", async () => {
    server.on("delete", CRUD, unreachable());
    const { user } = await ask();
    await user.click(confirmButton());
    await waitFor(() => expect(notices()).toHaveTextContent("We can’t reach Cruddur."));
    expect(screen.getByRole("article")).toHaveTextContent("Today is a good day");
  });
});

describe("sharing", () => {
  const url = `http://localhost:3000/@londo/status/${uuid(100)}`;

  test("copies the address", async () => {
    const { user } = await showHome(crud(), false);
    await user.click(button("Share"));
    await waitFor(() => expect(notices()).toHaveTextContent("Link copied"));
    expect(await navigator.clipboard.readText()).toBe(url);
  });

  test("shows the address if it cannot be copied", async () => {
    const { user } = await showHome(crud(), false);
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(
      new DOMException("Not allowed", "NotAllowedError"),
    );
    await user.click(button("Share"));
    await waitFor(() => expect(notices()).toHaveTextContent(`We couldn’t copy the link: ${url}`));
  });

  test.each([
    ["succeeds", undefined, ""],
    ["is canceled", new DOMException("", "AbortError"), ""],
    ["fails", new DOMException("", "DataError"), "We couldn’t copy the link"],
  ])("uses the device's share dialog, which %s", async (_, failure, words) => {
    const share = vi.fn(async () => {
      if (failure !== undefined) {
        throw failure;
      }
    });
    vi.stubGlobal("navigator", { ...navigator, canShare: () => true, share });
    const { user } = await showHome(crud(), false);
    await user.click(button("Share"));
    await settle();
    expect(share).toHaveBeenCalledWith({ title: "Londo Mollari on Cruddur", url });
    expect(notices()).toHaveTextContent(words);
  });
});
