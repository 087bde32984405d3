import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ListedUser } from "../../src/api/wire";
import { crud, LONDO, notes, profile, signIn, uuid } from "../support/make";
import { open, showPage } from "../support/page";
import { ok, refuse, type Server, servePage } from "../support/server";
import { disableStorage } from "../support/storage";
import { Stream } from "../support/stream";
import { settle } from "../support/time";

const FOLLOW = "/api/users/@{handle}/follow";
const FOLLOWING = "/api/activities/following";

let server: Server;

beforeEach(() => {
  localStorage.clear();
  server = servePage();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function main() {
  return within(screen.getByRole("main"));
}

function listed(change: Partial<ListedUser> = {}): ListedUser {
  return { ...LONDO, followed: false, ...change };
}

function counts(followed: boolean, followers_count: number) {
  return { uuid: LONDO.uuid, followers_count, following_count: 0, followed };
}

describe("a profile", () => {
  async function showLondo(followed: boolean) {
    signIn();
    const londo = profile({ followers_count: 3, following_count: 2, followed });
    server.on("get", "/api/activities/@{handle}", ok({ profile: londo, activities: [] }));
    const shown = showPage("/@londo");
    await main().findByRole("button", { name: /@londo$/, pressed: followed });
    return shown;
  }

  test("shows the counts, which lead to the lists", async () => {
    await showLondo(false);
    expect(main().getByRole("link", { name: "3 followers" })).toHaveAttribute(
      "href",
      "/@londo/followers",
    );
    expect(main().getByRole("link", { name: "2 following" })).toHaveAttribute(
      "href",
      "/@londo/following",
    );
  });

  test("is followed at once, and unfollowed again", async () => {
    const { user } = await showLondo(false);
    const put = server.hold("put", FOLLOW);
    server.on("delete", FOLLOW, ok(counts(false, 3)));
    await user.click(main().getByRole("button", { name: "Follow @londo" }));
    expect(main().getByRole("button", { name: "Following @londo", pressed: true })).toBeVisible();
    expect(main().getByRole("link", { name: "4 followers" })).toBeVisible();
    put.release(ok(counts(true, 4)));
    await user.click(main().getByRole("button", { name: "Following @londo" }));
    await waitFor(() => expect(server.sent("delete", FOLLOW)).toHaveLength(1));
    expect(main().getByRole("link", { name: "3 followers" })).toBeVisible();
  });

  test("is not followed if the server rejects it", async () => {
    const { user } = await showLondo(false);
    server.on("put", FOLLOW, refuse(422, "too_many_followed"));
    await user.click(main().getByRole("button", { name: "Follow @londo" }));
    expect(await screen.findByText(/You follow as many people as possible/)).toBeVisible();
    expect(main().getByRole("button", { name: "Follow @londo", pressed: false })).toBeVisible();
    expect(main().getByRole("link", { name: "3 followers" })).toBeVisible();
  });

  test("asks a visitor to sign in", async () => {
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(), activities: [] }));
    const { user, address } = showPage("/@londo");
    await user.click(await main().findByRole("button", { name: "Follow @londo" }));
    expect(address()).toBe("/signin");
    expect(await screen.findByText("Sign in to follow @londo")).toBeVisible();
  });
});

describe("the tabs of Home", () => {
  test("work without storage", async () => {
    disableStorage();
    signIn();
    server.on("get", "/api/activities/home", ok([crud({ message: "for everyone" })]));
    showPage("/");
    expect(await main().findByText("for everyone")).toBeVisible();
  });

  test("remember the last choice", async () => {
    signIn();
    server.on("get", FOLLOWING, ok([crud({ message: "followed" })]));
    const { user, unmount } = showPage("/");
    await user.click(await main().findByRole("link", { name: "Following" }));
    expect(await main().findByText("followed")).toBeVisible();
    unmount();
    showPage("/");
    expect(await main().findByText("followed")).toBeVisible();
    expect(main().getByRole("link", { name: "Following" })).toHaveAttribute("aria-current", "page");
    expect(server.sent("get", "/api/activities/home")).toHaveLength(1);
  });

  test("are for members only", async () => {
    localStorage.setItem("cruddur.feed", "following");
    showPage("/");
    expect(await main().findByText("No cruds right now")).toBeVisible();
    expect(main().queryByRole("link", { name: "Following" })).not.toBeInTheDocument();
    expect(server.sent("get", FOLLOWING)).toHaveLength(0);
  });
});

describe("the feed of followed people", () => {
  test("suggests people when it is empty", async () => {
    signIn();
    server.on("get", "/api/users/suggested", ok([LONDO]));
    server.on("get", "/api/tags/followed", ok(["tea"]));
    server.on("put", FOLLOW, ok(counts(true, 1)));
    const { user } = showPage("/?feed=following");
    const who = await main().findByRole("region", { name: "Who to follow" });
    expect(main().getByRole("link", { name: "#tea" })).toHaveAttribute(
      "href",
      "/search?term=%23tea",
    );
    server.on("get", FOLLOWING, ok([crud({ message: "followed" })]));
    await user.click(within(who).getByRole("button", { name: "Follow @londo" }));
    expect(await main().findByText("followed")).toBeVisible();
  });

  test("gets what is posted, from a stream of its own", async () => {
    const stream = new Stream(server);
    signIn();
    server.on("get", FOLLOWING, ok([crud({ message: "first" })]));
    open("/?feed=following");
    expect(await main().findByText("first")).toBeVisible();
    await settle();
    const feeds = () => stream.asked.map(({ url }) => url.searchParams.get("feed"));
    await waitFor(() => expect(feeds().sort()).toEqual(["following", null]));
    await stream.send(
      "crud",
      crud({ uuid: uuid(7), message: "second", reposted_by: "worf", reposted_by_name: "Worf" }),
    );
    expect(await main().findByRole("link", { name: "Worf reposted" })).toBeVisible();
  });
});

describe("a list of people", () => {
  test("has followers and followed people, with buttons", async () => {
    signIn();
    server.on("get", "/api/users/@{handle}/followers", ok([listed({ followed: true })]));
    server.on("get", "/api/users/@{handle}/following", ok([]));
    const { user } = showPage("/@worf/followers");
    expect(await main().findByRole("link", { name: /Londo Mollari/ })).toHaveAttribute(
      "href",
      "/@londo",
    );
    expect(main().getByRole("button", { name: "Following @londo" })).toBeVisible();
    await user.click(main().getByRole("link", { name: "Following" }));
    expect(await main().findByText("No one yet")).toBeVisible();
  });

  test("of an unknown user says so", async () => {
    server.on("get", "/api/users/@{handle}/followers", refuse(404, "not_found"));
    showPage("/@nobody/followers");
    expect(await main().findByText("User not found")).toBeVisible();
  });
});

describe("search", () => {
  test("finds people", async () => {
    server.on("get", "/api/activities/search", ok([]));
    server.on("get", "/api/users/search", ok([listed()]));
    showPage("/search?term=mollari");
    const people = await main().findByRole("region", { name: "People" });
    expect(within(people).getByRole("link", { name: /Londo/ })).toHaveAttribute("href", "/@londo");
    expect(server.sent("get", "/api/users/search")[0]?.url.searchParams.get("term")).toBe(
      "mollari",
    );
  });

  test("follows a hashtag, and undoes it if the server fails", async () => {
    signIn();
    server.on("get", "/api/activities/search", ok([]));
    server.on("put", "/api/tags/{tag}/follow", refuse(422, "too_many_tags"));
    const { user } = showPage("/search?term=%23Tea");
    await user.click(await main().findByRole("button", { name: "Follow #tea", pressed: false }));
    expect(await screen.findByText(/You follow as many tags as possible/)).toBeVisible();
    expect(main().getByRole("button", { name: "Follow #tea", pressed: false })).toBeVisible();
    server.on("put", "/api/tags/{tag}/follow", ok({ tag: "tea", followed: true }));
    await user.click(main().getByRole("button", { name: "Follow #tea" }));
    expect(main().getByRole("button", { name: "Following #tea", pressed: true })).toBeVisible();
  });
});

const GUS = { ...LONDO, uuid: uuid(8), handle: "gus", display_name: "Gus" };

test("new followers are a group of notifications without a crud", async () => {
  signIn();
  const group = notes({ kind: "follow", activity: null, actors: [LONDO, GUS], actors_count: 9 });
  server.on("get", "/api/notifications", ok([group]));
  showPage("/notifications");
  const item = await main().findByRole("listitem");
  expect(item).toHaveTextContent("Londo Mollari, Gus and 7 others followed you");
});

test("a new message completes its recipient", async () => {
  signIn();
  server.on("get", "/api/message_groups", ok([]));
  server.on("get", "/api/users", ok([LONDO, GUS]));
  const { user, address } = showPage("/messages");
  await user.click(
    (await screen.findAllByRole("button", { name: "New message" }))[0] as HTMLElement,
  );
  server.on("get", "/api/users/@{handle}/short", ok(GUS));
  server.on("get", "/api/messages/@{handle}", ok([]));
  const to = await screen.findByRole("combobox", { name: "To" });
  expect(to).toHaveAttribute("aria-expanded", "false");
  await user.type(to, "@l");
  const option = await screen.findByRole("option", { name: /Londo/ });
  const gus = screen.getByRole("option", { name: /Gus/ });
  expect(screen.getByRole("listbox", { name: "People" })).toHaveAttribute(
    "id",
    to.getAttribute("aria-controls"),
  );
  expect(to).toHaveAttribute("aria-activedescendant", option.id);
  await user.keyboard("{ArrowDown}");
  expect(to).toHaveAttribute("aria-activedescendant", gus.id);
  expect(gus).toHaveAttribute("aria-selected", "true");
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
  expect(screen.getByRole("dialog")).toBeVisible();
  await user.type(to, "o");
  await screen.findByRole("option", { name: /Londo/ });
  await user.keyboard("{ArrowUp}{Enter}");
  expect(address()).toBe("/messages/@gus");
});

test("a search for a hashtag finds no people", async () => {
  server.on("get", "/api/users/search", ok([listed()]));
  server.on("get", "/api/activities/search", ok([]));
  showPage("/search?term=%23lon");
  expect(await main().findByText("No cruds found")).toBeVisible();
  expect(screen.queryByRole("region", { name: "People" })).not.toBeInTheDocument();
});
