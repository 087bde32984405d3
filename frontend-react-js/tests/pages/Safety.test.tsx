import { fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import type { MutedUser } from "../../src/api/wire";
import {
  crud,
  group,
  LONDO,
  message,
  profile,
  secondFactor,
  signIn,
  uuid,
  WORF,
} from "../support/make";
import { showPage } from "../support/page";
import { ok, refuse, type Server, servePage } from "../support/server";
import { at, DAY, settle } from "../support/time";

const BLOCK = "/api/users/@{handle}/block";
const MUTE = "/api/users/@{handle}/mute";
const POLICY = "/api/messages/policy";
const REQUEST = "/api/message_requests/{message_group_uuid}";

const RELATION = { ...LONDO, blocked: false, muted: false };
const MUTED: MutedUser = { ...LONDO, created_at: at(-DAY), ends_at: null };

let server: Server;

beforeEach(() => {
  server = servePage();
  signIn();
});

async function press(name: string, within_: HTMLElement = document.body): Promise<void> {
  fireEvent.click(within(within_).getByRole("button", { name }));
  await settle();
}

function dialog(): HTMLElement {
  return screen.getByRole("dialog");
}

function notices(): HTMLElement {
  return screen.getByRole("status", { name: "Notices" });
}

async function showHome(): Promise<void> {
  server.on(
    "get",
    "/api/activities/home",
    ok([crud(), crud({ uuid: uuid(101), handle: "bayko", display_name: "Bayko" })]),
  );
  showPage("/");
  await screen.findAllByRole("article");
  const [first] = screen.getAllByRole("article");
  await press("More", first);
}

describe("the menu of a card", () => {
  test("blocks its author after saying what happens, and removes their cruds at once", async () => {
    await showHome();
    await press("Block @londo…", dialog());
    expect(dialog()).toHaveTextContent("You won’t see each other’s cruds");
    const answer = server.hold("put", BLOCK);
    await press("Block", dialog());
    expect(screen.getAllByRole("article")).toHaveLength(1);
    server.on("get", "/api/activities/home", ok([]));
    answer.release(ok({ ...RELATION, blocked: true }));
    await settle();
    expect(notices()).toHaveTextContent("@londo is blocked");
  });

  test("brings the cruds back if the server rejects it", async () => {
    await showHome();
    await press("Block @londo…", dialog());
    server.on("put", BLOCK, refuse(429, "rate_limited"));
    await press("Block", dialog());
    expect(dialog()).toHaveTextContent("Too many attempts.");
    expect(screen.getAllByRole("article")).toHaveLength(2);
  });

  test("mutes its author for the chosen time", async () => {
    await showHome();
    await press("Mute @londo…", dialog());
    fireEvent.change(within(dialog()).getByLabelText("For"), { target: { value: "7-days" } });
    server.on("put", MUTE, ok({ ...RELATION, muted: true }));
    await press("Mute", dialog());
    expect(server.sent("put", MUTE).map(({ body }) => body)).toEqual([{ duration: "7-days" }]);
    expect(notices()).toHaveTextContent("@londo is muted");
  });

  test("is not there on the member’s own cruds", async () => {
    server.on("get", "/api/activities/home", ok([crud({ ...WORF, uuid: uuid(102) })]));
    showPage("/");
    const article = await screen.findByRole("article");
    expect(within(article).queryByRole("button", { name: "More" })).toBeNull();
  });
});

test("a muted profile says so, and can be unmuted", async () => {
  const page = { activities: [], profile: profile({ muted: true }) };
  server.on("get", "/api/activities/@{handle}", ok(page));
  showPage("/@londo");
  await screen.findByText("You’ve muted @londo.");
  server.on("delete", MUTE, ok(RELATION));
  server.on("get", "/api/activities/@{handle}", ok({ activities: [crud()], profile: profile() }));
  await press("Unmute");
  expect(await screen.findByRole("article")).toBeInTheDocument();
  expect(screen.queryByText("You’ve muted @londo.")).toBeNull();
});

describe("the settings", () => {
  async function showSettings(): Promise<void> {
    server.on("get", "/api/auth/sessions", ok([]));
    server.on("get", "/api/auth/tokens", ok([]));
    server.on("get", "/api/auth/second-factor", ok(secondFactor()));
    server.on("get", "/api/activities/@{handle}", ok({ activities: [], profile: profile(WORF) }));
    showPage("/settings");
    await settle();
  }

  test.each([
    ["/api/mutes", MUTE, "Muted people", "Unmute @londo", "@londo isn’t muted anymore"],
    ["/api/blocks", BLOCK, "Blocked people", "Unblock @londo", "@londo isn’t blocked anymore"],
  ] as const)("undo what %s lists", async (list, path, title, name, notice) => {
    server.on("get", list, ok([MUTED]));
    await showSettings();
    const part = screen.getByRole("region", { name: title });
    expect(part).toHaveTextContent("@londo");
    server.on("delete", path, ok(RELATION));
    server.on("get", list, ok([]));
    await press(name, part);
    expect(notices()).toHaveTextContent(notice);
    expect(part).not.toHaveTextContent("@londo");
  });

  test("choose who can message the member, at once", async () => {
    await showSettings();
    const nobody = screen.getByRole("radio", { name: "No one" });
    const answer = server.hold("put", POLICY);
    fireEvent.click(nobody);
    await settle();
    expect(nobody).toBeChecked();
    answer.release(refuse(429, "rate_limited"));
    await settle();
    expect(nobody).not.toBeChecked();
    server.on("put", POLICY, ok({ policy: "nobody" }));
    fireEvent.click(nobody);
    await settle();
    expect(nobody).toBeChecked();
    expect(server.sent("put", POLICY).at(-1)?.body).toEqual({ policy: "nobody" });
  });
});

describe("a message request", () => {
  const request = group();

  async function showRequest(): Promise<void> {
    server.on("get", "/api/message_requests", ok([request]));
    server.on("get", "/api/messages/@{handle}", ok([message()]));
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    server.on("get", "/api/message_groups", ok([]));
    showPage("/messages/@londo");
    await screen.findByText(/You don’t follow @londo/);
  }

  test("is listed apart from conversations", async () => {
    server.on("get", "/api/message_groups", ok([]));
    server.on("get", "/api/message_requests", ok([request]));
    showPage("/messages");
    await screen.findByText("No messages yet");
    fireEvent.click(screen.getByRole("link", { name: "Requests" }));
    expect(await screen.findByText("Hello.")).toBeInTheDocument();
  });

  test("can be accepted", async () => {
    await showRequest();
    server.on("put", REQUEST, ok({ uuid: request.uuid, status: "accepted" }));
    server.on("get", "/api/message_requests", ok([]));
    await press("Accept");
    expect(notices()).toHaveTextContent("Request accepted");
    expect(screen.queryByText(/You don’t follow @londo/)).toBeNull();
  });

  test("can be deleted", async () => {
    await showRequest();
    server.on("delete", REQUEST, ok({ uuid: request.uuid, status: "deleted" }));
    server.on("get", "/api/message_requests", ok([]));
    await press("Delete");
    expect(notices()).toHaveTextContent("Request deleted");
    expect(await screen.findByText("No message requests")).toBeInTheDocument();
  });
});
