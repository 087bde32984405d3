import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { ShortUser } from "../../src/api/wire";
import {
  counts,
  crud,
  group,
  LONDO,
  message,
  notes,
  ownCrud,
  signIn,
  uuid,
  WORF,
} from "../support/make";
import { type Shown, showPage } from "../support/page";
import { ok, refuse, type Server, servePage, unreachable } from "../support/server";
import { at, HOUR, MINUTE, pass, passUntil, SECOND, settle } from "../support/time";

let server: Server;

beforeEach(() => {
  server = servePage();
});

function main() {
  return within(screen.getByRole("main"));
}

function hrefs(name: RegExp | string): (string | null)[] {
  return main()
    .queryAllByRole("link", { name })
    .map((link) => link.getAttribute("href"));
}

describe("a crud's page", () => {
  const STATUS = "/api/activities/@{handle}/status/{uuid}";
  const ADDRESS = `/@londo/status/${uuid(100)}`;
  const reply = ownCrud({ uuid: uuid(201), reply_to_activity_uuid: uuid(100), message: "Why?" });

  test("shows the crud, its time left and its replies", async () => {
    server.on("get", STATUS, ok({ activity: crud({ replies_count: 1 }), replies: [reply] }));
    showPage(ADDRESS);
    const article = await screen.findByRole("article", { name: "Crud by Londo Mollari" });
    expect(article).toHaveTextContent("2026");
    expect(article).toHaveTextContent("6d 23h left");
    const replies = within(screen.getByRole("region", { name: "Replies" }));
    expect(replies.getByRole("article", { name: "Crud by Worf" })).toHaveTextContent("Why?");
    expect(server.sent("get", STATUS)[0]?.url.pathname).toBe(
      `/api/activities/@londo/status/${uuid(100)}`,
    );
    expect(screen.queryByRole("form", { name: /Reply/ })).not.toBeInTheDocument();
  });

  test("shows the whole thread above a reply", async () => {
    const answer = crud({
      uuid: uuid(202),
      reply_to_activity_uuid: reply.uuid,
      reply_to_handle: "worf",
      message: "Because.",
    });
    const ancestors = [crud(), { ...reply, reply_to_handle: "londo" }];
    server.on("get", STATUS, ok({ activity: answer, replies: [], ancestors }));
    showPage(`/@londo/status/${answer.uuid}`);
    const thread = within(await screen.findByRole("region", { name: "Earlier in this thread" }));
    expect(thread.getAllByRole("article").map((a) => a.getAttribute("aria-label"))).toEqual([
      "Crud by Londo Mollari",
      "Crud by Worf",
    ]);
    expect(thread.getByText(/Replying to/)).toHaveTextContent("Replying to @londo");
    expect(thread.queryByRole("link", { name: "Show earlier cruds" })).not.toBeInTheDocument();
    expect(screen.getAllByText(/Replying to/).at(-1)).toHaveTextContent("Replying to @worf");
    expect(hrefs("@worf")).toEqual(["/@worf"]);
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Reply");
    expect(server.sent("get", "/api/activities/{uuid}")).toHaveLength(0);
  });

  test("leads to the part of a long thread that is not shown", async () => {
    const first = { ...reply, reply_to_handle: "londo" };
    const answer = crud({ uuid: uuid(202), reply_to_activity_uuid: first.uuid });
    server.on("get", STATUS, ok({ activity: answer, replies: [], ancestors: [first] }));
    showPage(`/@londo/status/${answer.uuid}`);
    await screen.findByText("Why?");
    expect(hrefs("Show earlier cruds")).toEqual([`/@worf/status/${first.uuid}`]);
  });

  describe("with replies to a reply", () => {
    const nested = [1, 2, 3, 4, 5].map((number) =>
      crud({
        uuid: uuid(300 + number),
        reply_to_activity_uuid: reply.uuid,
        reply_to_handle: "worf",
        message: `Answer ${number}`,
        replies_count: number === 1 ? 2 : 0,
      }),
    );
    const answered = { ...reply, replies_count: 5, replies: nested.slice(0, 3) };

    function answers(): string[] {
      return within(screen.getByRole("group", { name: "Replies to Worf" }))
        .getAllByText(/^Answer/)
        .map((text) => text.textContent);
    }

    beforeEach(() => {
      server.on("get", STATUS, ok({ activity: crud({ replies_count: 1 }), replies: [answered] }));
    });

    test("lists the first ones, and the others on request", async () => {
      server.on(
        "get",
        "/api/activities/{uuid}",
        ok({ activity: answered, replies: nested.slice(0, 4) }, { next: "more" }),
        ok({ activity: answered, replies: nested.slice(4) }),
      );
      const { user } = showPage(ADDRESS);
      await screen.findByText("Answer 1");
      expect(answers()).toEqual(["Answer 1", "Answer 2", "Answer 3"]);
      expect(hrefs("Show 2 replies")).toEqual([`/@londo/status/${uuid(301)}`]);
      await user.click(screen.getByRole("button", { name: "Show 2 more replies" }));
      await settle();
      expect(answers()).toHaveLength(4);
      await user.click(screen.getByRole("button", { name: "Show more" }));
      await settle();
      expect(answers()).toEqual(nested.map(({ message }) => message));
      expect(main().queryByRole("button", { name: /^Show/ })).not.toBeInTheDocument();
    });

    test("offers a retry if the others cannot be loaded", async () => {
      server.on(
        "get",
        "/api/activities/{uuid}",
        refuse(404, "not_found"),
        ok({ activity: answered, replies: nested }),
      );
      const { user } = showPage(ADDRESS);
      await user.click(await screen.findByRole("button", { name: "Show 2 more replies" }));
      await user.click(await screen.findByRole("button", { name: "Try again" }));
      await settle();
      expect(answers()).toHaveLength(5);
    });

    test("shows a like on one of them", async () => {
      signIn();
      server.on("put", "/api/activities/{uuid}/like", ok(counts({ liked: true, likes_count: 1 })));
      const { user } = showPage(ADDRESS);
      const card = within(
        (await screen.findByText("Answer 2")).closest("article") ?? document.body,
      );
      await user.click(card.getByRole("button", { name: "Like, 0 likes" }));
      expect(card.getByRole("button", { name: "Like, 1 like" })).toHaveAttribute(
        "aria-pressed",
        "true",
      );
    });
  });

  test("has a notice that leads to a new reply", async () => {
    signIn();
    server.on("get", STATUS, ok({ activity: crud(), replies: [] }));
    server.on("post", "/api/activities/{uuid}/reply", ok(reply));
    const { user, address } = showPage(ADDRESS);
    await user.type(await screen.findByRole("textbox", { name: "Reply to @londo" }), "Why?");
    await user.click(screen.getByRole("button", { name: "Reply" }));
    const notices = within(screen.getByRole("status", { name: "Notices" }));
    await user.click(await notices.findByRole("link", { name: "View" }));
    expect(address()).toBe(`/@worf/status/${reply.uuid}`);
    expect(notices.queryByText("Reply posted")).not.toBeInTheDocument();
  });

  test("has the crud in the window's title until it is gone", async () => {
    const activity = crud({ expires_at: at(10 * SECOND) });
    server.on("get", STATUS, ok({ activity, replies: [] }));
    const served = document.createElement("meta");
    served.dataset.page = "";
    document.head.append(served);
    showPage(ADDRESS);
    await screen.findByRole("article");
    expect(document.title).toBe("Londo Mollari: “I do not like Santa Claus” · Cruddur");
    expect(served).toBeInTheDocument();
    await passUntil(10 * SECOND);
    expect(document.title).toBe("Crud · Cruddur");
    expect(served).not.toBeInTheDocument();
  });

  test("focuses the form when a member replies", async () => {
    signIn();
    server.on("get", STATUS, ok({ activity: crud(), replies: [] }));
    const { user } = showPage(ADDRESS);
    await user.click(await screen.findByRole("button", { name: "Reply, 0 replies" }));
    expect(screen.getByRole("textbox", { name: "Reply to @londo" })).toHaveFocus();
  });

  test("says that the crud is gone, without a retry", async () => {
    server.on("get", STATUS, refuse(404, "not_found"));
    showPage(ADDRESS);
    expect(await screen.findByText("This crud is gone")).toBeInTheDocument();
    await pass(10 * SECOND);
    expect(server.sent("get", STATUS)).toHaveLength(1);
  });

  test("does not say that the crud is gone if the request fails", async () => {
    server.on("get", STATUS, unreachable());
    showPage(ADDRESS);
    await pass(10 * SECOND);
    expect(main().getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    expect(screen.queryByText("This crud is gone")).not.toBeInTheDocument();
  });

  test("says that the crud is gone when it expires", async () => {
    const activity = crud({ expires_at: at(10 * SECOND) });
    server.on("get", STATUS, ok({ activity, replies: [reply] }));
    showPage(ADDRESS);
    await screen.findByRole("article", { name: "Crud by Londo Mollari" });
    await passUntil(10 * SECOND - 1);
    expect(screen.getByText("I do not like Santa Claus")).toBeInTheDocument();
    await pass(1);
    expect(screen.getByText("This crud is gone")).toBeInTheDocument();
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
  });

  test("says that the crud is gone when its author deletes it, unless that fails", async () => {
    signIn();
    const own = ownCrud();
    server.on("get", STATUS, ok({ activity: own, replies: [] }));
    const answer = server.hold("delete", "/api/activities/{uuid}");
    const { user } = showPage(`/@worf/status/${own.uuid}`);
    const remove = async () => {
      await user.click(await screen.findByRole("button", { name: "Delete" }));
      const dialog = within(screen.getByRole("dialog"));
      await user.click(dialog.getByRole("button", { name: "Delete" }));
    };
    await remove();
    expect(screen.getByText("This crud is gone")).toBeInTheDocument();
    answer.release(refuse(503, "unavailable"));
    await settle();
    expect(screen.getByText("Today is a good day")).toBeInTheDocument();
    await remove();
    answer.release(ok({ uuid: own.uuid, status: "deleted" }));
    await settle();
    expect(screen.getByText("This crud is gone")).toBeInTheDocument();
  });
});

describe("searching", () => {
  const SEARCH = "/api/activities/search";

  async function search(shown: Shown, words: string): Promise<void> {
    const box = screen.getByRole("searchbox", { name: "Search Cruddur" });
    await shown.user.clear(box);
    await shown.user.click(box);
    await shown.user.paste(words);
    await shown.user.keyboard("{Enter}");
    await settle();
  }

  test("starts with trending tags", async () => {
    server.on("get", "/api/trending", ok([{ tag: "qapla", count: 2 }]));
    showPage("/search");
    expect(screen.getByRole("searchbox")).toHaveFocus();
    await settle();
    expect(hrefs(/#qapla/)).toEqual(["/search?term=%23qapla"]);
    expect(server.sent("get", SEARCH)).toHaveLength(0);
  });

  test.each(["", "?term=", "?term=%20", "?term=%E2%80%8B", "?x=1", "?term=qapla"])(
    "shows trends and people once, with the query '%s'",
    async (query) => {
      server.on("get", SEARCH, ok([crud()]));
      server.on("get", "/api/trending", ok([{ tag: "qapla", count: 2 }]));
      server.on("get", "/api/users/suggested", ok([LONDO]));
      showPage(`/search${query}`);
      await settle();
      expect(screen.getAllByRole("region", { name: "Trending" })).toHaveLength(1);
      expect(screen.getAllByRole("region", { name: "Suggested people" })).toHaveLength(1);
    },
  );

  test("sends the words unchanged", async () => {
    server.on("get", SEARCH, ok([crud()]));
    const shown = showPage("/search");
    await search(shown, " #crud & “50% off” ");
    expect(new URLSearchParams(shown.address().slice(7)).get("term")).toBe("#crud & “50% off”");
    expect(server.sent("get", SEARCH)[0]?.url.searchParams.get("term")).toBe("#crud & “50% off”");
    expect(main().getByRole("article")).toBeInTheDocument();
    expect(screen.getByRole("searchbox")).toHaveValue("#crud & “50% off”");
  });

  test("for a blank term sends no request", async () => {
    const shown = showPage("/search");
    await search(shown, " \u200b ");
    expect(shown.address()).toBe("/search");
    expect(server.sent("get", SEARCH)).toHaveLength(0);
  });

  test("from the sidebar leads to the results", async () => {
    server.on("get", SEARCH, ok([]));
    const shown = showPage("/about");
    await search(shown, "Qapla");
    expect(shown.address()).toBe("/search?term=Qapla");
    expect(main().getByText("No cruds found")).toBeInTheDocument();
    expect(main().getByText(/“Qapla”/)).toBeInTheDocument();
  });

  test.each(["/search", "/search/"])("has no second field in the sidebar, at %s", (address) => {
    showPage(address);
    expect(screen.getAllByRole("searchbox")).toHaveLength(1);
  });
});

describe("the conversations", () => {
  test("are listed with their unread counts", async () => {
    signIn();
    const other = group({ uuid: uuid(401), handle: "gkar", display_name: "G’Kar", message: "No." });
    server.on("get", "/api/message_groups", ok([group({ unread_count: 2 }), other]));
    showPage("/messages");
    await settle();
    expect(hrefs(/Londo Mollari.*Hello\..*2 unread/)).toEqual(["/messages/@londo"]);
    expect(hrefs(/G’Kar.*No\.$/)).toEqual(["/messages/@gkar"]);
  });
});

describe("a conversation", () => {
  const LIST = "/api/messages/@{handle}";
  const SEND = "/api/messages";
  const LIFETIME = "/api/messages/@{handle}/lifetime";
  const SENDER = { handle: WORF.handle, display_name: WORF.display_name };
  const sent = {
    ...message({ uuid: uuid(310), ...SENDER }),
    message: "Qapla’!",
    created_at: at(0),
    message_group_uuid: uuid(400),
  };

  beforeEach(() => {
    signIn();
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    point("fine");
  });

  /** Set the precision of the main pointing device. */
  function point(precision: "coarse" | "fine" | "none"): void {
    vi.spyOn(window, "matchMedia").mockImplementation(
      (query) => ({ matches: query === `(pointer: ${precision})` }) as MediaQueryList,
    );
  }

  function listed(): (string | null | undefined)[] {
    const list = screen.getByRole("list", { name: "Messages" });
    return [...list.querySelectorAll(".rich")].map((words) => words.textContent);
  }

  function area(): HTMLElement {
    return screen.getByRole("textbox", { name: "Message @londo" });
  }

  async function showConversation(...messages: ReturnType<typeof message>[]): Promise<Shown> {
    server.on("get", LIST, ok(messages));
    const shown = showPage("/messages/@londo");
    await settle();
    return shown;
  }

  test("lists its messages, the newest last, with their authors", async () => {
    await showConversation(message({ message: "Hello." }), sent);
    expect(listed()).toEqual(["Hello.", "Qapla’!"]);
    const [first, second] = main().getAllByRole("listitem");
    expect(first).toHaveTextContent("Londo Mollari");
    expect(second).toHaveTextContent("Worf");
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("Londo Mollari");
  });

  test("adds older messages above", async () => {
    server.on(
      "get",
      LIST,
      ok([message({ uuid: uuid(302), message: "3" }), message({ uuid: uuid(303), message: "4" })], {
        next: "older",
      }),
      ok([message({ uuid: uuid(300), message: "1" }), message({ uuid: uuid(301), message: "2" })]),
    );
    const { user } = showPage("/messages/@londo");
    await user.click(await screen.findByRole("button", { name: "Show older messages" }));
    await settle();
    expect(listed()).toEqual(["1", "2", "3", "4"]);
    expect(server.sent("get", LIST)[1]?.url.searchParams.get("cursor")).toBe("older");
  });

  test("counts down, and removes a message when it expires", async () => {
    await showConversation(
      message({ message: "Kept." }),
      message({ uuid: uuid(301), message: "Brief.", expires_at: at(MINUTE) }),
    );
    expect(listed()).toEqual(["Kept.", "Brief."]);
    expect(main().getAllByRole("listitem")[1]).toHaveTextContent(/left/);
    await pass(MINUTE);
    expect(main().getAllByRole("listitem")[1]).toHaveClass("fading");
    await pass(SECOND);
    expect(listed()).toEqual(["Kept."]);
  });

  test("says who set the lifetime, and lets the member change it", async () => {
    const line = message({ kind: "lifetime", ttl: "1-day", message: "In English." });
    server.on("get", LIFETIME, ok({ ttl: "1-day" }));
    const { user } = await showConversation(line, {
      ...line,
      ...SENDER,
      uuid: uuid(301),
      ttl: null,
    });
    const lines = main().getAllByRole("listitem");
    expect(lines.map(({ textContent }) => textContent)).toEqual([
      "Londo Mollari set new messages to disappear after 1 day.",
      "You set new messages to be kept.",
    ]);
    const answer = server.hold("put", LIFETIME);
    await user.click(main().getByRole("button", { name: "New messages disappear after 1 day" }));
    await user.selectOptions(screen.getByLabelText("New messages disappear after"), "7 days");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(main().getByRole("button", { name: /after 7 days/ })).toBeInTheDocument();
    expect(server.sent("put", LIFETIME)[0]?.body).toEqual({ ttl: "7-days" });
    answer.release(refuse(403, "messages_not_accepted"));
    await settle();
    expect(main().getByRole("button", { name: /after 1 day/ })).toBeInTheDocument();

    server.on("delete", LIFETIME, ok({ ttl: null }));
    await user.click(main().getByRole("button", { name: /after 1 day/ }));
    await user.selectOptions(screen.getByLabelText("New messages disappear after"), "Never");
    await user.click(screen.getByRole("button", { name: "Save" }));
    expect(server.sent("delete", LIFETIME)).toHaveLength(1);
  });

  test("without messages can be started", async () => {
    await showConversation();
    expect(main().getByText("Say hello")).toBeInTheDocument();
    expect(area()).toBeInTheDocument();
  });

  test("shows a sent message at once, then as the server returns it", async () => {
    const answer = server.hold("post", SEND);
    const { user } = await showConversation(message());
    await user.type(area(), "Qapla’!{Enter}");
    expect(listed()).toEqual(["Hello.", "Qapla’!"]);
    expect(main().getAllByRole("listitem")[1]).toHaveTextContent("Sending…");
    expect(server.sent("post", SEND)[0]?.body).toEqual({ message: "Qapla’!", handle: "londo" });
    server.on("get", LIST, ok([message(), sent]));
    server.on("get", "/api/message_groups", ok([]));
    answer.release(ok(sent));
    await settle();
    expect(listed()).toEqual(["Hello.", "Qapla’!"]);
    expect(main().getAllByRole("listitem")[1]).not.toHaveTextContent("Sending…");
    expect(area()).toHaveValue("");
    await pass(6 * SECOND);
    expect(listed()).toEqual(["Hello.", "Qapla’!"]);
  });

  test("removes a rejected message, and keeps its text in the form", async () => {
    server.on("post", SEND, unreachable(), ok(sent));
    const { user } = await showConversation(message());
    await user.type(area(), "Qapla’!{Enter}");
    await settle();
    expect(listed()).toEqual(["Hello."]);
    expect(area()).toHaveValue("Qapla’!");
    expect(main().getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    await user.click(main().getByRole("button", { name: "Send" }));
    await settle();
    const keys = server.sent("post", SEND).map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys[0]).toMatch(/./);
    expect(keys[1]).toBe(keys[0]);
  });

  test("starts a new line with Shift+Enter", async () => {
    const { user } = await showConversation();
    await user.type(area(), "One{Shift>}{Enter}{/Shift}two");
    expect(area()).toHaveValue("One\ntwo");
    expect(server.sent("post", SEND)).toHaveLength(0);
  });

  test("starts a new line with Enter on a touch screen", async () => {
    point("coarse");
    const { user } = await showConversation();
    await user.type(area(), "One{Enter}two");
    expect(area()).toHaveValue("One\ntwo");
    server.on("post", SEND, ok(sent));
    await user.type(area(), "{Control>}{Enter}{/Control}");
    expect(server.sent("post", SEND)).toHaveLength(1);
  });

  test("is sent with Enter on a computer without a mouse", async () => {
    point("none");
    server.on("post", SEND, ok(sent));
    const { user } = await showConversation();
    await user.type(area(), "Qapla’!{Enter}");
    expect(server.sent("post", SEND)).toHaveLength(1);
  });

  test("does not send during a composition", async () => {
    await showConversation();
    fireEvent.change(area(), { target: { value: "日本" } });
    fireEvent.keyDown(area(), { key: "Enter", isComposing: true });
    await settle();
    expect(server.sent("post", SEND)).toHaveLength(0);
    expect(area()).toHaveValue("日本");
  });

  test("polls for messages, and refetches the unread count", async () => {
    server.on("get", "/api/messages/counter", ok({ count: 1 }), ok({ count: 0 }));
    await showConversation(message());
    server.on("get", LIST, ok([message(), message({ uuid: uuid(301), message: "Well?" })]));
    const announced = () =>
      main()
        .getAllByRole("status")
        .map(({ textContent }) => textContent)
        .join("");
    expect(announced()).toBe("");
    await pass(6 * SECOND);
    expect(listed()).toEqual(["Hello.", "Well?"]);
    expect(announced()).toBe("Londo Mollari: Well?");
    expect(screen.getByRole("link", { name: "Messages" })).toBeInTheDocument();
  });

  test("loads after a message was sent early", async () => {
    const list = server.hold("get", LIST);
    server.on("post", SEND, ok(sent));
    server.on("get", "/api/message_groups", ok([]));
    const { user } = showPage("/messages/@londo");
    await settle();
    await user.type(area(), "Qapla’!{Enter}");
    await settle();
    list.release(ok([message(), sent]));
    await settle();
    expect(listed()).toEqual(["Hello.", "Qapla’!"]);
  });

  test("with oneself or an unknown user cannot be started", async () => {
    const { unmount } = showPage("/messages/@Worf");
    await settle();
    expect(main().getByText("This is you")).toBeInTheDocument();
    unmount();
    server.on("get", "/api/users/@{handle}/short", refuse(404, "not_found"));
    server.on("get", LIST, refuse(404, "not_found"));
    showPage("/messages/@nobody");
    await settle();
    expect(main().getByText("User not found")).toBeInTheDocument();
    expect(screen.queryByRole("textbox", { name: /Message @/ })).not.toBeInTheDocument();
  });
});

describe("the notifications", () => {
  const LIST = "/api/notifications";
  const GKAR: ShortUser = { ...LONDO, uuid: uuid(4), handle: "gkar", display_name: "G’Kar" };
  const VIR: ShortUser = { ...LONDO, uuid: uuid(5), handle: "vir", display_name: "Vir" };

  function shown(): (string | null)[] {
    return main()
      .getAllByRole("listitem")
      .map((item) => item.textContent);
  }

  test("name the users and the action, and link to the crud", async () => {
    signIn();
    const own = ownCrud();
    server.on(
      "get",
      LIST,
      ok([
        notes({ kind: "like", activity: own, actors: [LONDO, GKAR, VIR], actors_count: 9 }),
        notes({ kind: "repost", activity: own, actors: [LONDO, GKAR], actors_count: 2 }),
        notes({
          kind: "like",
          activity: ownCrud({ uuid: uuid(101), reply_to_activity_uuid: uuid(100) }),
          actors: [VIR, GKAR, LONDO],
          actors_count: 3,
        }),
        notes({ activity: crud({ uuid: uuid(201), message: "Why?" }) }),
        notes({ kind: "mention", activity: crud({ uuid: uuid(202), message: "@worf!" }) }),
      ]),
    );
    showPage("/notifications");
    await settle();
    expect(shown()).toEqual([
      expect.stringMatching(/Londo Mollari, G’Kar and 7 others liked your crud/),
      expect.stringMatching(/Londo Mollari and G’Kar reposted your crud/),
      expect.stringMatching(/Vir, G’Kar and 1 other liked your reply/),
      expect.stringMatching(/Londo Mollari replied to you.*Why\?/),
      expect.stringMatching(/Londo Mollari mentioned you.*@worf!/),
    ]);
    expect(hrefs("Today is a good day")).toEqual([
      `/@worf/status/${uuid(100)}`,
      `/@worf/status/${uuid(100)}`,
      `/@worf/status/${uuid(101)}`,
    ]);
    expect(hrefs("Why?")).toEqual([`/@londo/status/${uuid(201)}`]);
    expect(hrefs("@worf!")).toEqual([`/@londo/status/${uuid(202)}`]);
  });

  test("expand to the users of a group", async () => {
    signIn();
    server.on("get", LIST, ok([notes({ actors: [LONDO, GKAR, VIR], actors_count: 9 })]));
    const { user } = showPage("/notifications");
    const toggle = await main().findByRole("button", { name: "Show all 9 people" });
    expect(toggle).toHaveAttribute("aria-expanded", "false");
    await user.click(toggle);
    const people = within(main().getByRole("list", { name: "People" }));
    expect(people.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual([
      "/@londo",
      "/@gkar",
      "/@vir",
    ]);
    expect(people.getByText("and 6 others")).toBeInTheDocument();
    await user.click(main().getByRole("button", { name: "Show less" }));
    expect(main().queryByRole("list", { name: "People" })).not.toBeInTheDocument();
  });

  test("are unread until the member leaves the list", async () => {
    signIn();
    server.on("get", "/api/activities/notifications/counter", ok({ count: 3 }));
    const old = notes({ uuid: uuid(501), activity: crud({ uuid: uuid(101) }) });
    server.on("get", LIST, ok([notes({ unread: true }), old]), ok([notes(), old]));
    const { user } = showPage("/about");
    await user.click(await screen.findByRole("link", { name: "Notifications 3 unread" }));
    const unread = () => shown().map((text) => text?.includes("Unread: "));
    await waitFor(() => expect(unread()).toEqual([true, false]));
    expect(screen.getByRole("link", { name: "Notifications" })).toBeInTheDocument();
    await pass(25 * SECOND); // polls, because there is no stream
    expect(server.sent("get", LIST).length).toBeGreaterThan(1);
    expect(unread()).toEqual([true, false]);
    await user.click(screen.getByRole("link", { name: "Home" }));
    await user.click(screen.getByRole("link", { name: "Notifications" }));
    expect(unread()).toEqual([false, false]);
    await settle();
  });

  test("have a tab for replies and mentions", async () => {
    signIn();
    server.on("get", LIST, ok([]));
    const { user } = showPage("/notifications");
    const tab = (name: string) => main().getByRole("link", { name });
    expect(await main().findByText("No notifications yet")).toBeInTheDocument();
    expect(tab("All")).toHaveAttribute("aria-current", "page");
    await user.click(tab("Mentions"));
    expect(await main().findByText("No mentions yet")).toBeInTheDocument();
    expect(tab("Mentions")).toHaveAttribute("aria-current", "page");
    expect(server.sent("get", LIST).at(-1)?.url.search).toBe("?feed=mentions");
  });

  test("disappear with their crud", async () => {
    signIn();
    const dying = crud({ expires_at: at(MINUTE) });
    server.on(
      "get",
      LIST,
      ok([notes({ activity: dying }), notes({ kind: "mention", activity: dying })]),
    );
    showPage("/notifications");
    await settle();
    expect(main().getAllByRole("listitem")).toHaveLength(2);
    await passUntil(MINUTE);
    for (const row of main().getAllByRole("listitem")) {
      expect(row).toHaveClass("fading");
    }
    await passUntil(MINUTE + SECOND);
    expect(main().queryByRole("listitem")).not.toBeInTheDocument();
  });

  test("are empty at first", async () => {
    signIn();
    server.on("get", LIST, ok([]));
    showPage("/notifications");
    await pass(HOUR / 60);
    expect(main().getByText("No notifications yet")).toBeInTheDocument();
  });
});

describe("the window's title", () => {
  test("counts unread notifications and messages", async () => {
    signIn();
    server.on("get", "/api/activities/notifications/counter", ok({ count: 3 }), ok({ count: 0 }));
    server.on("get", "/api/messages/counter", ok({ count: 2 }), ok({ count: 0 }));
    showPage("/about");
    await waitFor(() => expect(document.title).toBe("(5) About · Cruddur"));
    await pass(25 * SECOND);
    expect(document.title).toBe("About · Cruddur");
  });
});

test.each([
  ["/about", "About"],
  ["/terms", "Terms of service"],
  ["/privacy", "Privacy policy"],
])("%s is a page of text", async (address, title) => {
  const shown = showPage(address);
  await settle();
  expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent(title);
  expect(document.title).toBe(`${title} · Cruddur`);
  await shown.user.click(screen.getByRole("button", { name: "Back" }));
  expect(shown.address()).toBe("/");
});
