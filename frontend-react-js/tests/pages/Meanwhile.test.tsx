/** Changes that happen while a request is under way. */

import { act, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { call } from "../../src/api/http";
import { enter, leave } from "../../src/api/session";
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
} from "../support/make";
import { open } from "../support/page";
import { ok, refuse, type Server, servePage } from "../support/server";
import { pass, SECOND, settle } from "../support/time";

const HOME = "/api/activities/home";
const REFRESH = "/api/auth/refresh";
const OTHER = { ...WORF, ...LONDO };

let server: Server;

beforeEach(() => {
  server = servePage();
});

function notices(): string {
  return screen.getByRole("status", { name: "Notices" }).textContent;
}

function main() {
  return within(screen.getByRole("main"));
}

describe("when another member signs in", () => {
  const body = { message: "Mine", ttl: "1-hour" } as const;

  test("a request of the previous member is not repeated with the new token", async () => {
    signIn();
    const held = server.hold("post", "/api/activities");
    const sending = call("post", "/api/activities", { body }).catch((error: unknown) => error);
    await settle();
    leave();
    enter(signedIn(OTHER, "token-2"));
    held.release(refuse(401, "generic_401"));
    expect(await sending).toMatchObject({ status: 401, codes: ["generic_401"] });
    expect(server.sent("post", "/api/activities")).toHaveLength(1);
  });

  test("with the same cookie, a request that waited for a token is not sent", async () => {
    signIn();
    await pass(15 * 60 * SECOND);
    server.on("post", REFRESH, ok(signedIn(OTHER, "token-2")));
    const sending = call("post", "/api/activities", { body }).catch((error: unknown) => error);
    expect(await sending).toMatchObject({ status: 401, codes: ["generic_401"] });
    expect(server.sent("post", "/api/activities")).toHaveLength(0);
  });
});

describe("when a member signs out", () => {
  test("a request under way shows no notice", async () => {
    signIn();
    server.on("get", HOME, ok([crud()]));
    const like = server.hold("put", "/api/activities/{uuid}/like");
    const { user } = open("/");
    await user.click(await screen.findByRole("button", { name: "Like, 0 likes" }));
    act(() => leave());
    like.release(refuse(401, "generic_401"));
    await settle();
    expect(notices()).toBe("");
    expect(server.sent("post", REFRESH)).toHaveLength(0);
  });
});

describe("while a feed is being fetched", () => {
  async function listed() {
    signIn();
    server.on("get", HOME, ok([ownCrud(), crud({ uuid: uuid(2) })], { next: "c2" }));
    const shown = open("/");
    await screen.findAllByRole("article");
    const more = server.hold("get", HOME);
    await shown.user.click(screen.getByRole("button", { name: "Show more" }));
    return { ...shown, more };
  }

  test("a new like is kept", async () => {
    const { user } = await listed();
    const done = counts({ uuid: uuid(2), liked: true, likes_count: 1 });
    server.on("put", "/api/activities/{uuid}/like", ok(done));
    server.on("get", HOME, ok([crud({ uuid: uuid(3) })]));
    const theirs = screen.getByRole("article", { name: "Crud by Londo Mollari" });
    await user.click(within(theirs).getByRole("button", { name: /^Like/ }));
    await pass(SECOND);
    const like = within(theirs).getByRole("button", { name: "Like, 1 like" });
    expect(like).toHaveAttribute("aria-pressed", "true");
  });

  test("a deleted crud does not come back", async () => {
    const { user } = await listed();
    server.on("delete", "/api/activities/{uuid}", ok({ uuid: ownCrud().uuid, status: "deleted" }));
    server.on("get", HOME, ok([ownCrud(), crud({ uuid: uuid(3) })]));
    await user.click(screen.getByRole("button", { name: "Delete" }));
    const dialog = screen.getByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Delete" }));
    await pass(SECOND);
    await user.click(
      within(screen.getByRole("navigation", { name: "Main" })).getByRole("link", { name: "Home" }),
    );
    await pass(SECOND);
    expect(screen.queryByRole("article", { name: "Crud by Worf" })).not.toBeInTheDocument();
  });
});

describe("a malformed response", () => {
  // React logs errors that a boundary catches; here they are expected.
  const silence = () => {
    const seen: unknown[] = [];
    console.error = (...words: unknown[]) => seen.push(words);
    return seen;
  };
  const odd = {} as unknown as [];

  test("for the sidebar does not affect the page", async () => {
    const seen = silence();
    server.on("get", "/api/trending", ok(odd));
    server.on("get", HOME, ok([crud()]));
    open("/");
    expect(await main().findByRole("article")).toBeInTheDocument();
    expect(screen.queryByRole("complementary")).not.toBeInTheDocument();
    expect(seen).not.toHaveLength(0);
  });

  test("for the page shows an error, with the navigation intact", async () => {
    signIn();
    const seen = silence();
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(), activities: [] }));
    server.on("get", "/api/auth/sessions", ok(odd));
    server.on("get", "/api/auth/tokens", ok([]));
    server.on("get", "/api/auth/second-factor", ok(secondFactor()));
    const { user } = open("/settings");
    expect(await main().findByText("Something went wrong")).toBeInTheDocument();
    const links = within(screen.getByRole("navigation", { name: "Main" }));
    await user.click(links.getByRole("link", { name: "Search" }));
    expect(await main().findByRole("heading", { name: "Search" })).toBeInTheDocument();
    expect(seen).not.toHaveLength(0);
  });
});

describe("a draft", () => {
  test("keeps its lifetime and key after a reload", async () => {
    signIn();
    server.on("post", "/api/activities", refuse(503, "unavailable"), ok(ownCrud()));
    const { user } = open("/");
    await user.type(await screen.findByRole("textbox"), "Short");
    await user.selectOptions(screen.getByRole("combobox"), "1 hour");
    await user.click(screen.getByRole("button", { name: "Crud it" }));
    await settle();
    const links = within(screen.getByRole("navigation", { name: "Main" }));
    await user.click(links.getByRole("link", { name: "Search" }));
    await user.click(links.getByRole("link", { name: "Home" }));
    expect(await screen.findByRole("textbox")).toHaveValue("Short");
    expect(screen.getByRole("combobox")).toHaveValue("1-hour");
    await user.click(screen.getByRole("button", { name: "Crud it" }));
    await settle();
    const sent = server.sent("post", "/api/activities");
    expect(sent.map((one) => one.body)).toEqual(Array(2).fill({ message: "Short", ttl: "1-hour" }));
    const keys = sent.map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys[0]).toBe(keys[1]);
  });

  test("that is new has the lifetime of the last one, also after a restart", async () => {
    signIn();
    server.on("post", "/api/activities", ok(ownCrud()));
    const { user, unmount } = open("/");
    expect(await screen.findByRole("combobox")).toHaveValue("7-days");
    await user.selectOptions(screen.getByRole("combobox"), "3 hours");
    await user.type(screen.getByRole("textbox"), "Short");
    await user.click(screen.getByRole("button", { name: "Crud it" }));
    await settle();
    expect(screen.getByRole("textbox")).toHaveValue("");
    expect(screen.getByRole("combobox")).toHaveValue("3-hours");
    unmount();
    sessionStorage.clear();
    open("/");
    expect(await screen.findByRole("combobox")).toHaveValue("3-hours");
  });

  test("with a lifetime that does not exist has the default one", async () => {
    signIn();
    localStorage.setItem(`cruddur.ttl.${WORF.uuid}`, "forever");
    open("/");
    expect(await screen.findByRole("combobox")).toHaveValue("7-days");
  });

  test("that fails after its dialog was closed shows a notice", async () => {
    signIn();
    const held = server.hold("post", "/api/activities");
    const { user } = open("/about");
    await user.click(await screen.findByRole("button", { name: "Crud" }));
    await user.type(screen.getByRole("textbox", { name: /on your mind/ }), "Short");
    await user.click(screen.getByRole("button", { name: "Crud it" }));
    await user.click(screen.getByRole("button", { name: "Close" }));
    held.release(refuse(503, "unavailable"));
    await settle();
    expect(notices()).toContain("Cruddur isn’t available right now.");
    expect(document.title).toBe("About · Cruddur");
  });
});
