import { act, fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { end, getSession } from "../src/api/session";
import {
  counts,
  crud,
  LONDO,
  ownCrud,
  profile,
  secondFactor,
  signedIn,
  signIn,
  uuid,
  WORF,
} from "./support/make";
import { open, showPage } from "./support/page";
import { ok, refuse, type Server, servePage, unreachable } from "./support/server";
import { Stream } from "./support/stream";
import { at, HOUR, MINUTE, pass, SECOND, settle } from "./support/time";

const HOME = "/api/activities/home";
const REFRESH = "/api/auth/refresh";
const MARK = "cruddur.signed-in";

let server: Server;

beforeEach(() => {
  server = servePage();
});

/** Change the storage as another tab would. */
async function elsewhere(newValue: string | null): Promise<void> {
  await act(async () => {
    dispatchEvent(new StorageEvent("storage", { key: MARK, newValue }));
  });
  await settle();
}

async function comeOnline(): Promise<void> {
  await act(async () => void dispatchEvent(new Event("online")));
  await pass(SECOND);
}

function nav() {
  return within(screen.getByRole("navigation", { name: "Main" }));
}

function names(): string[] {
  return nav()
    .getAllByRole("link")
    .map((link) => link.getAttribute("aria-label") ?? link.textContent.trim());
}

describe("the main navigation", () => {
  test("shows a visitor the public pages", async () => {
    showPage("/about");
    await settle();
    expect(names()).toEqual(["Cruddur", "Home", "Search", "About", "Sign in", "Join"]);
    expect(nav().getByRole("link", { name: "About" })).toHaveAttribute("aria-current", "page");
    expect(server.sent("get", "/api/messages/counter")).toHaveLength(0);
  });

  test("shows a member their own pages", async () => {
    signIn();
    showPage("/");
    await settle();
    expect(names()).toEqual([
      "Cruddur",
      "Home",
      "Search",
      "Notifications",
      "Messages",
      "Profile",
      "Settings",
    ]);
    expect(nav().getByRole("link", { name: "Profile" })).toHaveAttribute("href", "/@worf");
    expect(nav().getByRole("button", { name: "Crud" })).toBeInTheDocument();
  });

  test("shows unread counts and updates them", async () => {
    signIn();
    server.on("get", "/api/activities/notifications/counter", ok({ count: 3 }), ok({ count: 100 }));
    server.on("get", "/api/messages/counter", ok({ count: 1 }), ok({ count: 0 }));
    showPage("/");
    const notifications = await nav().findByRole("link", { name: "Notifications 3 unread" });
    expect(notifications).toHaveTextContent("3");
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toHaveTextContent("1");
    await pass(20 * SECOND);
    await settle();
    const more = nav().getByRole("link", { name: "Notifications 99+ unread" });
    expect(more).toHaveTextContent("99+");
    expect(nav().getByRole("link", { name: "Messages" })).not.toHaveTextContent(/\d/);
  });

  test("shows only the shared links while the session is being restored", async () => {
    localStorage.setItem(MARK, WORF.uuid);
    const refresh = server.hold("post", REFRESH);
    await elsewhere(WORF.uuid);
    open("/");
    await settle();
    expect(names()).toEqual(["Cruddur", "Home", "Search"]);
    refresh.release(ok(signedIn()));
    await settle();
    expect(names()).toContain("Messages");
  });

  test("has trending tags and suggested people in the sidebar", async () => {
    server.on(
      "get",
      "/api/trending",
      ok([
        { tag: "qapla", count: 1 },
        { tag: "日本", count: 12 },
      ]),
    );
    server.on("get", "/api/users/suggested", ok([LONDO]));
    showPage("/about");
    const trending = within(await screen.findByRole("region", { name: "Trending" }));
    expect(trending.getByRole("link", { name: "#qapla 1 crud" })).toHaveAttribute(
      "href",
      "/search?term=%23qapla",
    );
    expect(trending.getByRole("link", { name: "#日本 12 cruds" })).toBeInTheDocument();
    const people = within(screen.getByRole("region", { name: "Suggested people" }));
    expect(people.getByRole("link", { name: "Londo Mollari @londo" })).toHaveAttribute(
      "href",
      "/@londo",
    );
  });
});

describe("a browser that was signed in", () => {
  beforeEach(async () => {
    localStorage.setItem(MARK, WORF.uuid);
    await elsewhere(WORF.uuid);
  });

  test.each([
    ["/", "form", "New crud"],
    ["/@londo", "article", "Crud by Londo Mollari"],
    ["/search?term=x", "article", "Crud by Londo Mollari"],
    [`/@londo/status/${uuid(100)}`, "form", "Reply to Londo Mollari"],
    ["/settings", "region", "Devices"],
  ] as const)("opens %s as the member, without repeated requests", async (address, role, name) => {
    server.on("post", REFRESH, ok(signedIn()));
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(), activities: [crud()] }));
    server.on("get", "/api/activities/search", ok([crud()]));
    server.on("get", "/api/auth/sessions", ok([]));
    server.on("get", "/api/auth/tokens", ok([]));
    server.on("get", "/api/auth/second-factor", ok(secondFactor()));
    server.on(
      "get",
      "/api/activities/@{handle}/status/{uuid}",
      ok({ activity: crud(), replies: [] }),
    );
    open(address);
    expect(await screen.findByRole(role, { name })).toBeInTheDocument();
    await pass(SECOND);
    expect(screen.queryByText("Loading")).not.toBeInTheDocument();
    expect(server.sent("post", REFRESH)).toHaveLength(1);
    const asked = server.requests.filter(({ method }) => method === "GET");
    expect(asked.length).toBeGreaterThan(2);
    expect(asked.map(({ headers }) => headers.get("Authorization"))).toEqual(
      Array(asked.length).fill("Bearer token-1"),
    );
  });

  test("whose session has ended shows the page to a visitor, with a notice", async () => {
    server.on("post", REFRESH, refuse(401, "generic_401"));
    server.on("get", HOME, ok([crud()]));
    open("/");
    expect(await screen.findByRole("article")).toBeInTheDocument();
    expect(names()).toContain("Sign in");
    expect(screen.getByRole("status", { name: "Notices" })).toHaveTextContent(
      "You’ve been signed out on this device.",
    );
    expect(localStorage.getItem(MARK)).toBeNull();
  });

  test("shows an error without a network, and recovers", async () => {
    server.on("post", REFRESH, unreachable());
    const { user } = open("/");
    await pass(20 * SECOND);
    const main = within(screen.getByRole("main"));
    expect(main.getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    expect(server.sent("get", HOME)).toHaveLength(0);
    server.on("post", REFRESH, ok(signedIn()));
    server.on("get", HOME, ok([crud()]));
    await user.click(main.getByRole("button", { name: "Try again" }));
    expect(await main.findByRole("article")).toBeInTheDocument();
    expect(names()).toContain("Messages");
  });

  test("recovers by itself when the browser is online again", async () => {
    server.on("post", REFRESH, unreachable());
    open("/");
    await pass(20 * SECOND);
    const main = within(screen.getByRole("main"));
    expect(main.getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    server.on("post", REFRESH, ok(signedIn()));
    server.on("get", HOME, ok([crud()]));
    await comeOnline();
    expect(main.getByRole("article")).toBeInTheDocument();
    expect(main.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("shows an error on a members' page without a network, and recovers", async () => {
    server.on("post", REFRESH, unreachable());
    const { user } = open("/notifications");
    await pass(20 * SECOND);
    const main = within(screen.getByRole("main"));
    expect(main.getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    server.on("post", REFRESH, ok(signedIn()));
    server.on("get", "/api/notifications", ok([]));
    await user.click(main.getByRole("button", { name: "Try again" }));
    expect(await main.findByText("No notifications yet")).toBeInTheDocument();
  });

  test("counts down by the server's clock, not the local one", async () => {
    server.ahead = -10 * MINUTE;
    server.on("post", REFRESH, ok(signedIn()));
    const expires_at = at(-9 * MINUTE);
    server.on("get", HOME, ok([crud({ created_at: at(-HOUR), expires_at })]));
    open("/");
    const article = await screen.findByRole("article");
    expect(article).not.toHaveClass("crud-fading");
    expect(article).toHaveTextContent(/(5\ds|1m 0[01]s) left/);
    await pass(65 * SECOND);
    expect(article).not.toBeInTheDocument();
  });
});

describe("when the viewer changes", () => {
  const mine = ownCrud({ liked: true, likes_count: 1 });
  const theirs = ownCrud({ likes_count: 1 });

  function isLiked(): boolean {
    const like = screen.getByRole("button", { name: "Like, 1 like" });
    return like.getAttribute("aria-pressed") === "true";
  }

  test.each(["/", "/@worf", "/search?term=x", `/@worf/status/${uuid(100)}`])(
    "the data of the previous viewer is fetched again: %s",
    async (address) => {
      signIn();
      const answers = (listed: typeof mine) => {
        server.on("get", HOME, ok([listed]));
        const own = profile({ ...WORF });
        server.on("get", "/api/activities/@{handle}", ok({ profile: own, activities: [listed] }));
        server.on("get", "/api/activities/search", ok([listed]));
        server.on(
          "get",
          "/api/activities/@{handle}/status/{uuid}",
          ok({ activity: listed, replies: [] }),
        );
      };
      answers(mine);
      open(address);
      await screen.findByRole("article");
      expect(isLiked()).toBe(true);
      answers(theirs);
      await elsewhere(null);
      await pass(SECOND);
      expect(isLiked()).toBe(false);
      expect(names()).toContain("Sign in");
    },
  );

  test("a session that was ended elsewhere shows one notice", async () => {
    signIn();
    open("/");
    await settle();
    act(() => end());
    await settle();
    const notices = screen.getByRole("status", { name: "Notices" });
    expect(notices.querySelectorAll("p")).toHaveLength(1);
    expect(notices).toHaveTextContent("You’ve been signed out");
  });

  test("a sign-in in another tab also signs in this one", async () => {
    open("/");
    await settle();
    expect(names()).toContain("Sign in");
    server.on("post", REFRESH, ok(signedIn()));
    await elsewhere(WORF.uuid);
    await settle();
    expect(names()).toContain("Messages");
    expect(getSession()).toMatchObject({ phase: "in" });
  });

  test("one member's like is not shown as the next member's", async () => {
    signIn();
    server.on("get", HOME, ok([crud()]), ok([crud({ likes_count: 1 })]));
    server.on("put", "/api/activities/{uuid}/like", ok(counts({ liked: true, likes_count: 1 })));
    const { user } = open("/");
    await user.click(await screen.findByRole("button", { name: "Like, 0 likes" }));
    await settle();
    expect(isLiked()).toBe(true);
    server.on("post", REFRESH, ok(signedIn({ ...WORF, ...LONDO }, "token-2")));
    await elsewhere(LONDO.uuid);
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Profile" })).toHaveAttribute("href", "/@londo");
    expect(isLiked()).toBe(false);
  });
});

describe("a navigation", () => {
  test("scrolls to the top and moves the focus, but not when going back", async () => {
    const { user } = open("/about");
    await settle();
    const scroll = vi.spyOn(window, "scrollTo");
    await user.click(nav().getByRole("link", { name: "Search" }));
    expect(document.title).toBe("Search · Cruddur");
    expect(scroll).toHaveBeenCalledWith(0, 0);
    scroll.mockClear();
    await act(async () => history.back());
    await settle();
    expect(scroll).not.toHaveBeenCalled();
  });

  test("removes what the document says about another page", async () => {
    const served = document.createElement("link");
    served.dataset.page = "";
    document.head.append(served);
    const { user } = open("/about");
    await settle();
    expect(served).toBeInTheDocument();
    await user.click(nav().getByRole("link", { name: "Search" }));
    expect(served).not.toBeInTheDocument();
  });

  test("to the current page fetches only its first part", async () => {
    const path = "/api/activities/@{handle}";
    const activities = (number: number) => [crud({ uuid: uuid(number) })];
    server.on(
      "get",
      path,
      ok({ profile: profile(), activities: activities(1) }, { next: "c2" }),
      ok({ profile: profile(), activities: activities(2) }),
      ok({ profile: profile(), activities: activities(3) }),
    );
    const { user } = open("/@londo");
    await user.click(await screen.findByRole("button", { name: "Show more" }));
    await settle();
    expect(screen.getAllByRole("article")).toHaveLength(2);
    const main = within(screen.getByRole("main"));
    await user.click(main.getAllByRole("link", { name: "Londo Mollari" })[0] as HTMLElement);
    await settle();
    const cursors = server.sent("get", path).map(({ url }) => url.searchParams.get("cursor"));
    expect(cursors).toEqual([null, "c2", null]);
    expect(screen.getAllByRole("article")).toHaveLength(1);
  });

  test("to the current page fetches it again", async () => {
    server.on("get", HOME, ok([]));
    const { user } = open("/");
    await settle();
    const before = server.sent("get", HOME).length;
    server.on("get", HOME, ok([crud()]));
    await user.click(nav().getByRole("link", { name: "Home" }));
    await settle();
    expect(server.sent("get", HOME).length).toBeGreaterThan(before);
    expect(await screen.findByRole("article")).toBeInTheDocument();
  });
});

describe("an error", () => {
  function alerts(): string[] {
    return within(screen.getByRole("main"))
      .queryAllByRole("alert")
      .map((alert) => alert.textContent)
      .filter((text) => text !== "");
  }

  test("of a list disappears when the server can be reached again", async () => {
    const stream = new Stream(server);
    open("/");
    await pass(SECOND);
    stream.answer(unreachable());
    await stream.fail();
    server.on(
      "get",
      "/api/activities/search",
      unreachable(),
      unreachable(),
      unreachable(),
      ok([crud()]),
    );
    const search = screen.getByRole("searchbox").closest("form") as HTMLFormElement;
    fireEvent.change(screen.getByRole("searchbox"), { target: { value: "x" } });
    fireEvent.submit(search);
    await pass(5 * SECOND);
    expect(alerts()).toHaveLength(1);
    await pass(MINUTE); // the stream reconnects
    expect(screen.getByRole("article")).toBeInTheDocument();
    expect(alerts()).toEqual([]);
  });

  test("of a list disappears a while after the server has recovered", async () => {
    server.on("get", HOME, refuse(503, "unavailable"));
    open("/");
    await pass(10 * SECOND);
    expect(alerts()).toHaveLength(1);
    await pass(5 * MINUTE);
    expect(alerts()).toHaveLength(1);
    expect(server.sent("get", HOME).length).toBeLessThan(60);
    server.on("get", HOME, ok([crud()]));
    await pass(40 * SECOND);
    expect(screen.getByRole("article")).toBeInTheDocument();
    expect(alerts()).toEqual([]);
  });

  test("of the next page of a list disappears, and the first page is not fetched again", async () => {
    server.on("get", HOME, ok([crud()], { next: "c2" }));
    const { user } = open("/");
    await pass(SECOND);
    server.on("get", HOME, unreachable());
    await user.click(screen.getByRole("button", { name: "Show more" }));
    await pass(5 * SECOND);
    expect(alerts()).toHaveLength(1);
    const before = server.sent("get", HOME).length;
    server.on("get", HOME, ok([crud({ uuid: uuid(2) })]));
    await comeOnline();
    expect(screen.getAllByRole("article")).toHaveLength(2);
    expect(alerts()).toEqual([]);
    const asked = server.sent("get", HOME).slice(before);
    expect(asked.map(({ url }) => url.searchParams.get("cursor"))).toEqual(["c2"]);
  });

  test("that is not about the network stays", async () => {
    server.on("get", HOME, refuse(422, "cursor_invalid"));
    open("/");
    await pass(SECOND);
    const before = server.sent("get", HOME).length;
    await comeOnline();
    expect(alerts()).toHaveLength(1);
    expect(server.sent("get", HOME)).toHaveLength(before);
  });

  test("of a form does not say that the network is down after it has come back", async () => {
    signIn();
    open("/");
    await pass(SECOND);
    server.on("post", "/api/activities", unreachable(), ok(ownCrud()));
    const form = screen.getByRole("form", { name: "New crud" });
    fireEvent.change(within(form).getByRole("textbox"), { target: { value: "Hello" } });
    fireEvent.submit(form);
    await pass(SECOND);
    expect(alerts()).toEqual(["We can’t reach Cruddur. Are you online?"]);
    await comeOnline();
    expect(alerts()).toEqual(["You’re back online. Try again."]);
    fireEvent.submit(form);
    await pass(SECOND);
    expect(alerts()).toEqual([]);
  });
});
