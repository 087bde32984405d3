/** What is told by the stream, on the page that it changes. */

import { fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Crud } from "../../src/api/wire";
import {
  counts,
  crud,
  group,
  LONDO,
  message,
  note,
  ownCrud,
  profile,
  signIn,
  uuid,
  WORF,
} from "../support/make";
import { open } from "../support/page";
import { ok, type Server, servePage, unreachable } from "../support/server";
import { scrollTo } from "../support/sight";
import { Stream } from "../support/stream";
import { at, HOUR, MINUTE, pass, SECOND, settle } from "../support/time";

const HOME = "/api/activities/home";
const POST = "/api/activities";
const REPLY = "/api/activities/{uuid}/reply";
const LIKE = "/api/activities/{uuid}/like";
const PROFILE = "/api/activities/@{handle}";
const STATUS = "/api/activities/@{handle}/status/{uuid}";
const MESSAGES = "/api/messages/@{handle}";
const GROUPS = "/api/message_groups";
const UNREAD_MESSAGES = "/api/messages/counter";
const NOTES = "/api/activities/notifications";
const UNREAD_NOTES = "/api/activities/notifications/counter";

let server: Server;
let stream: Stream;

beforeEach(async () => {
  server = servePage();
  stream = new Stream(server);
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

function nav() {
  return within(screen.getByRole("navigation", { name: "Main" }));
}

function listed(): (string | null | undefined)[] {
  return main()
    .queryAllByRole("article")
    .map((article) => article.querySelector(".rich")?.textContent);
}

/** What is read aloud in the page. */
function said(): string {
  return main()
    .getAllByRole("status")
    .map(({ textContent }) => textContent)
    .join("");
}

async function openAt(address: string) {
  const shown = open(address);
  await settle();
  await settle();
  return shown;
}

async function openHome(...cruds: Crud[]) {
  server.on("get", HOME, ok(cruds));
  return openAt("/");
}

/** Write into a form and send it. */
async function send(form: string, words: string): Promise<void> {
  const element = screen.getByRole("form", { name: form });
  fireEvent.change(within(element).getByRole("textbox"), { target: { value: words } });
  fireEvent.submit(element);
  await settle();
}

describe("a new crud", () => {
  test("comes to its place before the eyes of who is at the top, and is told", async () => {
    await openHome(numbered(1));
    await stream.tell("crud", numbered(2));
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(said()).toBe("1 new crud");
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("waits with others behind a button for who has scrolled down", async () => {
    const { user } = await openHome(numbered(1));
    await scrollTo(1000);
    for (const number of [2, 3, 4]) {
      await stream.tell("crud", numbered(number));
    }
    expect(listed()).toEqual(["Crud 1"]);
    await pass(10 * SECOND);
    expect(said()).toBe("3 new cruds");
    await user.click(main().getByRole("button", { name: "3 new cruds" }));
    expect(listed()).toEqual(["Crud 4", "Crud 3", "Crud 2", "Crud 1"]);
    expect(scrollY).toBe(0);
  });

  test("is read out with those that come soon after it, now and then", async () => {
    await openHome(numbered(1));
    await stream.tell("crud", numbered(2));
    expect(said()).toBe("1 new crud");
    await stream.tell("crud", numbered(3));
    await stream.tell("crud", numbered(4));
    expect(said()).toBe("1 new crud");
    await pass(10 * SECOND);
    expect(said()).toBe("2 new cruds");
    await pass(10 * SECOND);
    await stream.tell("crud", numbered(5));
    expect(said()).toBe("1 new crud");
    expect(listed()).toHaveLength(5);
  });

  test("can be liked by a member", async () => {
    signIn();
    await openHome(numbered(1));
    await stream.tell("crud", numbered(2));
    const like = main().getAllByRole("button", { name: "Like, 0 likes" })[0];
    expect(like).toHaveAttribute("aria-pressed", "false");
  });

  test("that is told twice, or was there already, is there once", async () => {
    await openHome(numbered(1));
    await stream.tell("crud", numbered(1));
    await stream.tell("crud", numbered(2));
    await stream.tell("crud", numbered(2));
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("that is over when it is told does not come", async () => {
    await openHome(numbered(1));
    await stream.tell("crud", numbered(2, { expires_at: at(-SECOND) }));
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("");
  });

  test("that is told while the feed is fetched is not lost by the answer", async () => {
    const home = server.hold("get", HOME);
    open("/");
    await settle();
    await stream.tell("crud", numbered(2));
    home.release(ok([numbered(1)]));
    server.on("get", HOME, ok([numbered(1)]));
    await settle();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("that came while one was elsewhere is there when one comes home", async () => {
    const { user } = await openHome(numbered(1));
    await user.click(nav().getByRole("link", { name: "About" }));
    await stream.tell("crud", numbered(2));
    server.on("get", HOME, ok([numbered(2), numbered(1)]));
    await user.click(nav().getByRole("link", { name: "Home" }));
    await settle();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("is on its author's profile, and counts there", async () => {
    server.on("get", PROFILE, ok({ profile: profile(), activities: [numbered(1)] }));
    await openAt("/@londo");
    await stream.tell("crud", numbered(2));
    await stream.tell("crud", numbered(3, { handle: "gkar" }));
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(main().getByText("2").closest("p")).toHaveTextContent("2 cruds alive");
  });

  test("is among many that wait, of which only the newest are kept", async () => {
    await openHome(numbered(1));
    await scrollTo(1000);
    server.on("get", HOME, ok([numbered(103), numbered(102)], { next: "c101" }));
    for (let number = 2; number < 104; number += 1) {
      await stream.tell("crud", numbered(number));
    }
    await pass(SECOND);
    expect(main().getByRole("button", { name: "2+ new cruds" })).toBeInTheDocument();
  });
});

describe("one's own crud", () => {
  const own = ownCrud({ uuid: uuid(9), message: "Mine", created_at: at(0) });

  beforeEach(() => signIn());

  test("that is told before its answer is there once", async () => {
    const answer = server.hold("post", POST);
    await openHome(numbered(1));
    await send("New crud", "Mine");
    await stream.tell("crud", own);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    answer.release(ok(own));
    await pass(SECOND);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    expect(said()).toBe("");
  });

  test("that is told after its answer is there once", async () => {
    server.on("post", POST, ok(own));
    await openHome(numbered(1));
    await send("New crud", "Mine");
    await stream.tell("crud", own);
    await pass(SECOND);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    expect(said()).toBe("");
  });

  test("whose answer is lost is there once, also after a second try", async () => {
    const answer = server.hold("post", POST);
    await openHome(numbered(1));
    await send("New crud", "Mine");
    await stream.tell("crud", own);
    answer.release(unreachable());
    await pass(SECOND);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    server.on("post", POST, ok(own));
    await send("New crud", "Mine");
    expect(listed()).toEqual(["Mine", "Crud 1"]);
  });

  test("from another device comes as everybody's do", async () => {
    await openHome(numbered(1));
    await stream.tell("crud", own);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
  });

  test.each(["before", "after"])("that is told %s its answer counts once", async (order) => {
    server.on(
      "get",
      PROFILE,
      ok({ profile: profile({ ...WORF, cruds_count: 0 }), activities: [] }),
    );
    const answer = server.hold("post", POST);
    const { user } = await openAt("/@worf");
    await user.click(nav().getByRole("button", { name: "Crud" }));
    await send("New crud", "Mine");
    if (order === "before") {
      await stream.tell("crud", own);
    }
    expect(listed()).toEqual(["Mine"]);
    server.on("get", HOME, ok([own]));
    answer.release(ok(own));
    await settle();
    if (order === "after") {
      await stream.tell("crud", own);
    }
    await pass(SECOND);
    await user.click(nav().getByRole("link", { name: "Profile" }));
    await settle();
    expect(listed()).toEqual(["Mine"]);
    expect(main().getByText(/alive/)).toHaveTextContent("1 crud alive");
  });
});

describe("a reply", () => {
  const ADDRESS = `/@londo/status/${uuid(100)}`;
  const reply = ownCrud({
    uuid: uuid(201),
    reply_to_activity_uuid: uuid(100),
    message: "Why?",
    created_at: at(0),
  });
  const other = { ...reply, uuid: uuid(202), handle: "gkar", message: "Because." };

  async function openCrud(next?: string) {
    const answer = ok({ activity: crud(), replies: [] }, next === undefined ? {} : { next });
    server.on("get", STATUS, answer);
    return openAt(ADDRESS);
  }

  test("comes to the end of the others, and is counted", async () => {
    await openCrud();
    await stream.tell("crud", other);
    await stream.tell("counts", { ...counts({ replies_count: 1 }) });
    expect(listed()).toEqual(["I do not like Santa Claus", "Because."]);
    expect(main().getByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
  });

  test("waits for those before it, where not all were fetched", async () => {
    await openCrud("more");
    await stream.tell("crud", other);
    expect(listed()).toEqual(["I do not like Santa Claus"]);
  });

  test("is nothing new for the home feed", async () => {
    await openHome(crud());
    await stream.tell("crud", other);
    expect(said()).toBe("");
  });

  test.each(["before", "after"])(
    "of one's own that is told %s its answer is one",
    async (order) => {
      signIn();
      const answer = server.hold("post", REPLY);
      await openCrud();
      await send("Reply to Londo Mollari", "Why?");
      const tell = async () => {
        await stream.tell("crud", reply);
        await stream.tell("counts", { uuid: uuid(100), ...count(1) });
      };
      if (order === "before") {
        await tell();
      }
      answer.release(ok(reply));
      await settle();
      if (order === "after") {
        await tell();
      }
      await pass(SECOND);
      expect(listed()).toEqual(["I do not like Santa Claus", "Why?"]);
      expect(main().getByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
    },
  );

  function count(replies_count: number) {
    return { replies_count, reposts_count: 0, likes_count: 0 };
  }
});

describe("the counts", () => {
  function likes(likes_count: number) {
    return { uuid: uuid(100), replies_count: 0, reposts_count: 0, likes_count };
  }

  function like() {
    return main().getByRole("button", { name: /^Like/ });
  }

  test("tick", async () => {
    await openHome(crud());
    await stream.tell("counts", { ...likes(2), replies_count: 3, reposts_count: 1 });
    for (const name of ["Reply, 3 replies", "Repost, 1 repost", "Like, 2 likes"]) {
      expect(main().getByRole("button", { name })).toBeInTheDocument();
    }
  });

  test("leave it at what the member did", async () => {
    signIn();
    await openHome(crud({ liked: true, likes_count: 1 }));
    await stream.tell("counts", likes(2));
    expect(like()).toHaveAttribute("aria-pressed", "true");
    expect(like()).toHaveAccessibleName("Like, 2 likes");
  });

  test("from before a like do not take it back for a moment", async () => {
    signIn();
    const answer = server.hold("put", LIKE);
    const { user } = await openHome(crud());
    await user.click(like());
    await stream.tell("counts", likes(0));
    expect(like()).toHaveAccessibleName("Like, 1 like");
    answer.release(ok(counts({ liked: true, likes_count: 1 })));
    await settle();
    await stream.tell("counts", likes(0));
    expect(like()).toHaveAccessibleName("Like, 1 like");
    await stream.tell("counts", likes(1));
    await stream.tell("counts", likes(2));
    await pass(SECOND);
    expect(like()).toHaveAccessibleName("Like, 2 likes");
    expect(like()).toHaveAttribute("aria-pressed", "true");
  });
});

describe("what is gone", () => {
  test("fades and leaves the list", async () => {
    await openHome(numbered(2), numbered(1));
    await stream.tell("gone", { uuid: uuid(2) }, { isLogged: false });
    expect(main().getAllByRole("article")[0]).toHaveClass("crud-fading");
    await pass(SECOND);
    expect(listed()).toEqual(["Crud 1"]);
    await stream.tell("gone", { uuid: uuid(2) });
    await stream.tell("crud", numbered(2));
    expect(listed()).toEqual(["Crud 1"]);
  });

  test("does not wait behind the button", async () => {
    await openHome(numbered(1));
    await scrollTo(1000);
    await stream.tell("crud", numbered(2));
    await stream.tell("gone", { uuid: uuid(2) });
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("does not count any longer for its author", async () => {
    server.on("get", PROFILE, ok({ profile: profile(), activities: [numbered(1)] }));
    await openAt("/@londo");
    await stream.tell("gone", { uuid: uuid(1) });
    await pass(SECOND);
    await pass(1);
    expect(listed()).toEqual([]);
    expect(main().getByText(/alive/)).toHaveTextContent("0 cruds alive");
  });

  test("is said to be gone on its own page", async () => {
    server.on("get", STATUS, ok({ activity: crud(), replies: [] }));
    await openAt(`/@londo/status/${uuid(100)}`);
    await stream.tell("gone", { uuid: uuid(100) });
    expect(screen.getByText("Gone, and forgotten")).toBeInTheDocument();
  });

  test.each(["before", "after"])("among replies counts once, told %s the count", async (order) => {
    const reply = crud({ uuid: uuid(201), reply_to_activity_uuid: uuid(100), message: "Why?" });
    const two = [reply, { ...reply, uuid: uuid(202) }];
    server.on("get", STATUS, ok({ activity: crud({ replies_count: 2 }), replies: two }));
    await openAt(`/@londo/status/${uuid(100)}`);
    const one = { uuid: uuid(100), replies_count: 1, reposts_count: 0, likes_count: 0 };
    const events = [
      ["gone", { uuid: uuid(201) }],
      ["counts", one],
    ] as const;
    for (const [type, data] of order === "before" ? events : events.toReversed()) {
      await stream.tell(type, data);
    }
    await pass(SECOND);
    expect(listed()).toHaveLength(2);
    expect(main().getByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
  });

  test("is not notified of any longer", async () => {
    signIn();
    server.on("get", NOTES, ok([note(), note({ uuid: uuid(501), activity_uuid: uuid(101) })]));
    await openAt("/notifications");
    await stream.tell("gone", { uuid: uuid(100) });
    expect(main().getAllByRole("listitem")).toHaveLength(1);
  });

  test("does not count among what was not seen", async () => {
    signIn();
    server.on("get", UNREAD_NOTES, ok({ count: 1 }), ok({ count: 0 }));
    await openHome();
    expect(nav().getByRole("link", { name: "Notifications 1 unread" })).toBeInTheDocument();
    await stream.tell("gone", { uuid: uuid(100) });
    await pass(21 * SECOND);
    expect(nav().getByRole("link", { name: "Notifications" })).toBeInTheDocument();
  });
});

describe("a message", () => {
  const told = message({ uuid: uuid(301), message: "Well?", created_at: at(0) });
  const event = { ...told, message_group_uuid: uuid(400) };
  const mine = {
    ...event,
    uuid: uuid(310),
    handle: WORF.handle,
    display_name: WORF.display_name,
    message: "Qapla’!",
  };

  beforeEach(() => {
    signIn();
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    server.on("get", GROUPS, ok([group()]));
  });

  function words(): (string | null | undefined)[] {
    const list = screen.getByRole("list", { name: "Messages" });
    return [...list.querySelectorAll(".rich")].map(({ textContent }) => textContent);
  }

  async function openConversation(...messages: ReturnType<typeof message>[]) {
    server.on("get", MESSAGES, ok(messages));
    return openAt("/messages/@londo");
  }

  test("is counted where one does not look at it", async () => {
    server.on("get", UNREAD_MESSAGES, ok({ count: 0 }), ok({ count: 1 }));
    await openHome();
    await stream.tell("message", event);
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toBeInTheDocument();
  });

  test("is the latest of its conversation in the list", async () => {
    await openAt("/messages");
    server.on("get", GROUPS, ok([group({ message: "Well?", unread_count: 1 })]));
    await stream.tell("message", event);
    await pass(SECOND);
    expect(
      main().getByRole("link", { name: /Londo Mollari.*Well\?.*1 unread/ }),
    ).toBeInTheDocument();
  });

  test("is in its conversation at once, where it is read", async () => {
    await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    server.on("get", MESSAGES, ok([message(), told]));
    await stream.tell("message", event);
    expect(words()).toEqual(["Hello.", "Well?"]);
    expect(said()).toBe("Londo Mollari: Well?");
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Well?"]);
    expect(server.sent("get", MESSAGES)).toHaveLength(before + 1);
    expect(server.requests.at(-1)?.url.pathname).toBe(UNREAD_MESSAGES);
  });

  test("that one leaves before it was read is counted", async () => {
    const { user } = await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    server.on("get", UNREAD_MESSAGES, ok({ count: 1 }));
    await stream.tell("message", event);
    await user.click(nav().getByRole("link", { name: "Home" }));
    await pass(SECOND);
    expect(server.sent("get", MESSAGES)).toHaveLength(before);
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toBeInTheDocument();
  });

  test("of one's own asks nothing of the conversation where it was sent", async () => {
    server.on("post", "/api/messages", ok(mine));
    await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    await send("Message to @londo", "Qapla’!");
    await stream.tell("message", mine);
    await pass(SECOND);
    expect(server.sent("get", MESSAGES)).toHaveLength(before);
  });

  test("is not read before somebody sees it", async () => {
    await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    server.on("get", UNREAD_MESSAGES, ok({ count: 1 }), ok({ count: 0 }));
    await stream.tell("message", event);
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toBeInTheDocument();
    expect(server.sent("get", MESSAGES)).toHaveLength(before);
    server.on("get", MESSAGES, ok([message(), told]));
    visibility.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("visibilitychange"));
    await pass(SECOND);
    expect(server.sent("get", MESSAGES)).toHaveLength(before + 1);
    expect(nav().getByRole("link", { name: "Messages" })).toBeInTheDocument();
  });

  test.each(["before", "after"])(
    "of one's own that is told %s its answer is one",
    async (order) => {
      const answer = server.hold("post", "/api/messages");
      await openConversation(message());
      server.on("get", MESSAGES, ok([message(), mine]));
      await send("Message to @londo", "Qapla’!");
      if (order === "before") {
        await stream.tell("message", mine);
      }
      expect(words()).toEqual(["Hello.", "Qapla’!"]);
      answer.release(ok(mine));
      await settle();
      if (order === "after") {
        await stream.tell("message", mine);
      }
      expect(words()).toEqual(["Hello.", "Qapla’!"]);
      await pass(SECOND);
      expect(words()).toEqual(["Hello.", "Qapla’!"]);
    },
  );

  test("of one's own whose answer is lost is there all the same", async () => {
    const answer = server.hold("post", "/api/messages");
    await openConversation(message());
    server.on("get", MESSAGES, ok([message(), mine]));
    await send("Message to @londo", "Qapla’!");
    await stream.tell("message", mine);
    answer.release(unreachable());
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Qapla’!"]);
    expect(screen.getByRole("textbox", { name: "Write to @londo" })).toHaveValue("Qapla’!");
  });

  test("that comes while another is sent leaves that where it is", async () => {
    const answer = server.hold("post", "/api/messages");
    await openConversation(message());
    await send("Message to @londo", "Qapla’!");
    server.on("get", MESSAGES, ok([message(), told]), ok([message(), told, mine]));
    await stream.tell("message", event);
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Qapla’!", "Well?"]);
    answer.release(ok(mine));
    await settle();
    await stream.tell("message", mine);
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Well?", "Qapla’!"]);
  });

  test("that one sent elsewhere is in its conversation too", async () => {
    const { user } = await openAt("/messages");
    server.on("get", MESSAGES, ok([message()]));
    await user.click(main().getByRole("link", { name: /Londo Mollari/ }));
    await settle();
    server.on("get", MESSAGES, ok([message(), mine]));
    await stream.tell("message", mine);
    expect(words()).toEqual(["Hello.", "Qapla’!"]);
  });

  test("that one sent elsewhere is there also where one came straight to it", async () => {
    await openConversation(message());
    server.on("get", MESSAGES, ok([message(), mine]));
    await stream.tell("message", mine);
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Qapla’!"]);
  });
});

describe("a notification", () => {
  beforeEach(() => signIn());

  test("is counted", async () => {
    server.on("get", UNREAD_NOTES, ok({ count: 0 }), ok({ count: 2 }));
    await openHome();
    const before = server.sent("get", UNREAD_NOTES).length;
    await stream.tell("notification", note());
    await stream.tell("notification", note({ uuid: uuid(501) }));
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Notifications 2 unread" })).toBeInTheDocument();
    expect(server.sent("get", UNREAD_NOTES)).toHaveLength(before + 1);
  });

  test("is on top of the list at once, where it is read", async () => {
    server.on("get", NOTES, ok([note({ message: "Why?" })]));
    await openAt("/notifications");
    const newer = note({ uuid: uuid(501), message: "How?" });
    server.on("get", NOTES, ok([newer, note({ message: "Why?" })]));
    await stream.tell("notification", newer);
    const words = () =>
      main()
        .getAllByRole("listitem")
        .map(({ textContent }) => textContent);
    expect(words()).toEqual([expect.stringMatching("How"), expect.stringMatching("Why")]);
    await pass(SECOND);
    expect(words()).toEqual([expect.stringMatching("How"), expect.stringMatching("Why")]);
    expect(nav().getByRole("link", { name: "Notifications" })).toBeInTheDocument();
  });
});

describe("while the stream is there", () => {
  test("nothing is looked for", async () => {
    signIn();
    server.on("get", NOTES, ok([]));
    server.on("get", HOME, ok([numbered(1)]));
    const { user } = await openAt("/notifications");
    await user.click(nav().getByRole("link", { name: "Home" }));
    await settle();
    await settle();
    const before = server.requests.length;
    for (let time = 0; time < 90; time += 15) {
      await stream.say(":\n\n");
      await pass(15 * SECOND);
    }
    expect(server.requests).toHaveLength(before);
  });

  test("everything is asked for anew when it says so", async () => {
    await openHome(numbered(1));
    server.on("get", HOME, ok([numbered(3)]));
    await stream.say("event: reset\nid: 77\ndata: {}\n\n");
    await pass(SECOND);
    expect(listed()).toEqual(["Crud 3"]);
    await stream.end();
    await pass(SECOND);
    expect(stream.asked.at(-1)?.headers.get("Last-Event-ID")).toBe("77");
  });

  test("what it tells that this page does not know is passed over", async () => {
    await openHome(numbered(1));
    await stream.tell("crudquake", { magnitude: 9 });
    expect(listed()).toEqual(["Crud 1"]);
  });

  test("what was told to one member is not told to the next", async () => {
    signIn();
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    server.on("get", MESSAGES, ok([]));
    await openAt("/messages/@londo");
    const told = JSON.stringify({ ...message(), message_group_uuid: uuid(400) });
    await stream.say(`event: message\ndata: ${told}\n\n`);
    signIn({ ...WORF, uuid: uuid(7), handle: "gkar" });
    await settle();
    await pass(1);
    expect(main().getByText("The first word is yours")).toBeInTheDocument();
  });
});

describe("a stream that comes late", () => {
  test("has all that is there asked for anew, but what is read", async () => {
    signIn();
    stream.answer(unreachable());
    server.on("get", UNREAD_NOTES, ok({ count: 0 }), ok({ count: 1 }));
    await openHome(numbered(1));
    server.on("get", HOME, ok([numbered(2), numbered(1)]));
    await pass(5 * SECOND);
    expect(stream.count).toBe(1);
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(nav().getByRole("link", { name: "Notifications 1 unread" })).toBeInTheDocument();
  });
});

describe("a stream that is lost", () => {
  const WORDS = "Not live";

  test("is told quietly after a while, and looking begins", async () => {
    await openHome(numbered(1));
    vi.spyOn(Math, "random").mockReturnValue(0.9);
    server.on("get", "/api/stream", unreachable());
    server.on("get", HOME, ok([numbered(2), numbered(1)]));
    await stream.end();
    await pass(9 * SECOND);
    expect(main().queryByText(WORDS)).not.toBeInTheDocument();
    await pass(2 * SECOND);
    expect(main().getByText(WORDS)).toHaveRole("status");
    expect(main().getByText(WORDS)).toHaveTextContent("Not live: reconnecting…");
    await pass(20 * SECOND);
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    stream.answer();
    await pass(MINUTE);
    expect(main().queryByText(WORDS)).not.toBeInTheDocument();
  });
});
