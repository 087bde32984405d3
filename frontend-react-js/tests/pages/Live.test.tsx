/** Events of the stream, and the page that they change. */

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
  notes,
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
const NOTES = "/api/notifications";
const UNREAD_NOTES = "/api/activities/notifications/counter";

let server: Server;
let stream: Stream;

beforeEach(async () => {
  server = servePage();
  stream = new Stream(server);
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

function nav() {
  return within(screen.getByRole("navigation", { name: "Main" }));
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

/** Fill in a form and submit it. */
async function send(form: string, words: string): Promise<void> {
  const element = screen.getByRole("form", { name: form });
  fireEvent.change(within(element).getByRole("textbox"), { target: { value: words } });
  fireEvent.submit(element);
  await settle();
}

describe("a preview", () => {
  test("appears below the text of its crud", async () => {
    await openHome(numbered(2), numbered(1));
    const preview = {
      url: "https://news.example/",
      site: "news.example",
      title: "News",
      description: "",
      picture_url: null,
    };
    await stream.send("preview", { uuid: uuid(1), preview });
    const [other, shown] = main().getAllByRole("article") as [HTMLElement, HTMLElement];
    expect(within(shown).getByRole("link", { name: "News news.example" })).toBeVisible();
    expect(within(other).queryByRole("link", { name: "News news.example" })).toBeNull();
  });
});

describe("a user", () => {
  test("has the new name and picture wherever they are shown", async () => {
    signIn();
    await openHome(numbered(2, { reposted_by: "vir" }), ownCrud());
    const shown = () =>
      main()
        .getAllByRole("article")
        .map((article) => [
          article.getAttribute("aria-label"),
          article.querySelector(".avatar img")?.getAttribute("src"),
        ]);
    await stream.send("user", { ...LONDO, display_name: "Londo", avatar_url: "/londo.jpg" });
    expect(shown()).toEqual([
      ["Crud by Londo", "/londo.jpg"],
      ["Crud by Worf", undefined],
    ]);
    expect(listed()).toEqual(["Crud 2", "Today is a good day"]);
    await stream.send("user", LONDO);
    expect(shown()[0]).toEqual(["Crud by Londo Mollari", undefined]);
    const { uuid, handle, display_name } = WORF;
    await stream.send("user", { uuid, handle, display_name, avatar_url: "/worf.jpg" });
    expect(shown()[1]).toEqual(["Crud by Worf", "/worf.jpg"]);
    expect(document.querySelector(".nav-me img")).toHaveAttribute("src", "/worf.jpg");
  });
});

describe("a new crud", () => {
  test("is added and announced while the viewer is at the top", async () => {
    await openHome(numbered(1));
    await stream.send("crud", numbered(2));
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(said()).toBe("1 new crud");
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("waits behind a button while the viewer has scrolled down", async () => {
    const { user } = await openHome(numbered(1));
    await scrollTo(1000);
    for (const number of [2, 3, 4]) {
      await stream.send("crud", numbered(number));
    }
    expect(listed()).toEqual(["Crud 1"]);
    await pass(10 * SECOND);
    expect(said()).toBe("3 new cruds");
    await user.click(main().getByRole("button", { name: "3 new cruds" }));
    expect(listed()).toEqual(["Crud 4", "Crud 3", "Crud 2", "Crud 1"]);
    expect(scrollY).toBe(0);
  });

  test("is announced together with those that follow soon", async () => {
    await openHome(numbered(1));
    await stream.send("crud", numbered(2));
    expect(said()).toBe("1 new crud");
    await stream.send("crud", numbered(3));
    await stream.send("crud", numbered(4));
    expect(said()).toBe("1 new crud");
    await pass(10 * SECOND);
    expect(said()).toBe("2 new cruds");
    await pass(10 * SECOND);
    await stream.send("crud", numbered(5));
    expect(said()).toBe("1 new crud");
    expect(listed()).toHaveLength(5);
  });

  test("can be liked by a member", async () => {
    signIn();
    await openHome(numbered(1));
    await stream.send("crud", numbered(2));
    const like = main().getAllByRole("button", { name: "Like, 0 likes" })[0];
    expect(like).toHaveAttribute("aria-pressed", "false");
  });

  test("that arrives twice, or is listed already, is listed once", async () => {
    await openHome(numbered(1));
    await stream.send("crud", numbered(1));
    await stream.send("crud", numbered(2));
    await stream.send("crud", numbered(2));
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("that has already expired is not added", async () => {
    await openHome(numbered(1));
    await stream.send("crud", numbered(2, { expires_at: at(-SECOND) }));
    expect(listed()).toEqual(["Crud 1"]);
    expect(said()).toBe("");
  });

  test("that arrives while the feed is loading is not lost", async () => {
    const home = server.hold("get", HOME);
    open("/");
    await settle();
    await stream.send("crud", numbered(2));
    home.release(ok([numbered(1)]));
    server.on("get", HOME, ok([numbered(1)]));
    await settle();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("that arrived on another page is on the home page", async () => {
    const { user } = await openHome(numbered(1));
    await user.click(nav().getByRole("link", { name: "About" }));
    await stream.send("crud", numbered(2));
    server.on("get", HOME, ok([numbered(2), numbered(1)]));
    await user.click(nav().getByRole("link", { name: "Home" }));
    await settle();
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
  });

  test("is listed and counted on its author's profile", async () => {
    server.on("get", PROFILE, ok({ profile: profile(), activities: [numbered(1)] }));
    await openAt("/@londo");
    await stream.send("crud", numbered(2));
    await stream.send("crud", numbered(3, { handle: "gkar" }));
    expect(listed()).toEqual(["Crud 2", "Crud 1"]);
    expect(main().getByText("2").closest("p")).toHaveTextContent("2 live cruds");
  });

  test("waits with at most a hundred others", async () => {
    await openHome(numbered(1));
    await scrollTo(1000);
    server.on("get", HOME, ok([numbered(103), numbered(102)], { next: "c101" }));
    for (let number = 2; number < 104; number += 1) {
      await stream.send("crud", numbered(number));
    }
    await pass(SECOND);
    expect(main().getByRole("button", { name: "2+ new cruds" })).toBeInTheDocument();
  });
});

describe("the member's own crud", () => {
  const own = ownCrud({ uuid: uuid(9), message: "Mine", created_at: at(0) });

  beforeEach(() => signIn());

  test("that arrives before the response is listed once", async () => {
    const answer = server.hold("post", POST);
    await openHome(numbered(1));
    await send("New crud", "Mine");
    await stream.send("crud", own);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    answer.release(ok(own));
    await pass(SECOND);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    expect(said()).toBe("");
  });

  test("that arrives after the response is listed once", async () => {
    server.on("post", POST, ok(own));
    await openHome(numbered(1));
    await send("New crud", "Mine");
    await stream.send("crud", own);
    await pass(SECOND);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    expect(said()).toBe("");
  });

  test("whose response is lost is listed once, even after a retry", async () => {
    const answer = server.hold("post", POST);
    await openHome(numbered(1));
    await send("New crud", "Mine");
    await stream.send("crud", own);
    answer.release(unreachable());
    await pass(SECOND);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
    server.on("post", POST, ok(own));
    await send("New crud", "Mine");
    expect(listed()).toEqual(["Mine", "Crud 1"]);
  });

  test("from another device is added like any other", async () => {
    await openHome(numbered(1));
    await stream.send("crud", own);
    expect(listed()).toEqual(["Mine", "Crud 1"]);
  });

  test.each(["before", "after"])("that arrives %s the response is counted once", async (order) => {
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
      await stream.send("crud", own);
    }
    expect(listed()).toEqual(["Mine"]);
    server.on("get", HOME, ok([own]));
    answer.release(ok(own));
    await settle();
    if (order === "after") {
      await stream.send("crud", own);
    }
    await pass(SECOND);
    await user.click(nav().getByRole("link", { name: "Profile" }));
    await settle();
    expect(listed()).toEqual(["Mine"]);
    expect(main().getByText(/live/)).toHaveTextContent("1 live crud");
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

  test("is added at the end, and counted", async () => {
    await openCrud();
    await stream.send("crud", other);
    await stream.send("counts", { ...counts({ replies_count: 1 }) });
    expect(listed()).toEqual(["I do not like Santa Claus", "Because."]);
    expect(main().getByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
  });

  test("to a reply is added below it, if all the others are there", async () => {
    const below = { ...reply, uuid: uuid(301), reply_to_activity_uuid: reply.uuid };
    const answered = { ...reply, replies_count: 1, replies: [{ ...below, message: "One." }] };
    server.on("get", STATUS, ok({ activity: crud({ replies_count: 1 }), replies: [answered] }));
    await openAt(ADDRESS);
    const send = async (number: number, message: string) => {
      await stream.send("crud", { ...below, uuid: uuid(301 + number), message });
      await stream.send("counts", { uuid: reply.uuid, ...count(number + 1) });
    };
    await send(1, "Two.");
    await send(1, "Two.");
    expect(listed()).toEqual(["I do not like Santa Claus", "Why?", "One.", "Two."]);
    await stream.send("counts", { uuid: reply.uuid, ...count(3) });
    await send(3, "Four.");
    expect(listed()).toHaveLength(4);
    expect(main().getByRole("button", { name: "Show 2 more replies" })).toBeInTheDocument();
    await stream.send("gone", { uuid: uuid(301) });
    await pass(SECOND);
    expect(listed()).toEqual(["I do not like Santa Claus", "Why?", "Two."]);
  });

  test("to a reply that is being answered leaves the dialog open", async () => {
    signIn();
    server.on("get", STATUS, ok({ activity: crud({ replies_count: 1 }), replies: [other] }));
    const { user } = await openAt(ADDRESS);
    await user.click(main().getAllByRole("button", { name: "Reply, 0 replies" })[0] as HTMLElement);
    await user.type(screen.getByRole("textbox", { name: "Reply to @gkar" }), "Never");
    const below = { ...reply, uuid: uuid(301), reply_to_activity_uuid: other.uuid };
    await stream.send("crud", { ...below, handle: "londo", message: "Always." });
    expect(listed()).toContain("Always.");
    expect(screen.getByRole("textbox", { name: "Reply to @gkar" })).toHaveValue("Never");
  });

  test("is not added before the earlier replies are loaded", async () => {
    await openCrud("more");
    await stream.send("crud", other);
    expect(listed()).toEqual(["I do not like Santa Claus"]);
  });

  test("is not added to the home feed", async () => {
    await openHome(crud());
    await stream.send("crud", other);
    expect(said()).toBe("");
  });

  test.each(["before", "after"])(
    "of the member that arrives %s the response is listed once",
    async (order) => {
      signIn();
      const answer = server.hold("post", REPLY);
      await openCrud();
      await send("Reply to Londo Mollari", "Why?");
      const sendEvent = async () => {
        await stream.send("crud", reply);
        await stream.send("counts", { uuid: uuid(100), ...count(1) });
      };
      if (order === "before") {
        await sendEvent();
      }
      answer.release(ok(reply));
      await settle();
      if (order === "after") {
        await sendEvent();
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

  test("are updated", async () => {
    await openHome(crud());
    await stream.send("counts", { ...likes(2), replies_count: 3, reposts_count: 1 });
    for (const name of ["Reply, 3 replies", "Repost, 1 repost", "Like, 2 likes"]) {
      expect(main().getByRole("button", { name })).toBeInTheDocument();
    }
  });

  test("do not change the member's own reactions", async () => {
    signIn();
    await openHome(crud({ liked: true, likes_count: 1 }));
    await stream.send("counts", likes(2));
    expect(like()).toHaveAttribute("aria-pressed", "true");
    expect(like()).toHaveAccessibleName("Like, 2 likes");
  });

  test("from before a like do not undo it", async () => {
    signIn();
    const answer = server.hold("put", LIKE);
    const { user } = await openHome(crud());
    await user.click(like());
    await stream.send("counts", likes(0));
    expect(like()).toHaveAccessibleName("Like, 1 like");
    answer.release(ok(counts({ liked: true, likes_count: 1 })));
    await settle();
    await stream.send("counts", likes(0));
    expect(like()).toHaveAccessibleName("Like, 1 like");
    await stream.send("counts", likes(1));
    await stream.send("counts", likes(2));
    await pass(SECOND);
    expect(like()).toHaveAccessibleName("Like, 2 likes");
    expect(like()).toHaveAttribute("aria-pressed", "true");
  });
});

describe("a removed crud", () => {
  test("fades and leaves the list", async () => {
    await openHome(numbered(2), numbered(1));
    await stream.send("gone", { uuid: uuid(2) }, { isLogged: false });
    expect(main().getAllByRole("article")[0]).toHaveClass("crud-fading");
    await pass(SECOND);
    expect(listed()).toEqual(["Crud 1"]);
    await stream.send("gone", { uuid: uuid(2) });
    await stream.send("crud", numbered(2));
    expect(listed()).toEqual(["Crud 1"]);
  });

  test("does not wait behind the button", async () => {
    await openHome(numbered(1));
    await scrollTo(1000);
    await stream.send("crud", numbered(2));
    await stream.send("gone", { uuid: uuid(2) });
    expect(main().queryByRole("button", { name: /new crud/ })).not.toBeInTheDocument();
  });

  test("leaves a report of it open, in a feed and on its own page", async () => {
    signIn();
    const { user } = await openHome(numbered(2), numbered(1));
    await user.click(main().getAllByRole("button", { name: "More" })[0] as HTMLElement);
    await user.click(screen.getByRole("button", { name: "Report this crud…" }));
    await user.type(screen.getByLabelText("Details"), "Threats");
    await stream.send("gone", { uuid: uuid(2) });
    await pass(SECOND);
    expect(listed()).toEqual(["Crud 1"]);
    expect(screen.getByLabelText("Details")).toHaveValue("Threats");
    server.on("post", "/api/reports", ok({ uuid: uuid(1), status: "reported" }));
    await user.selectOptions(screen.getByLabelText("What is it about?"), "violence");
    await user.click(screen.getByRole("button", { name: "Send report" }));
    await settle();
    expect(server.sent("post", "/api/reports")[0]?.body).toMatchObject({ uuid: uuid(2) });
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(document.getElementById("main")).toHaveFocus(); // the button that opened it is gone
  });

  test.each(["deleted on another device", "expired"])(
    "ends a question whether to delete it with a word: %s",
    async (how) => {
      signIn();
      const own = ownCrud({ expires_at: at(10 * SECOND) });
      const { user } = await openHome(own);
      await user.click(main().getByRole("button", { name: "Delete" }));
      const dialog = within(screen.getByRole("dialog", { name: "Delete this crud?" }));
      await (how === "expired" ? pass(11 * SECOND) : stream.send("gone", { uuid: own.uuid }));
      await pass(SECOND);
      expect(main().queryByRole("article")).not.toBeInTheDocument();
      expect(dialog.getByRole("alert")).toHaveTextContent("It is gone already");
      await user.click(dialog.getAllByRole("button", { name: "Close" }).at(-1) as HTMLElement);
      expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    },
  );

  test("can be reported on its own page", async () => {
    signIn();
    server.on("get", STATUS, ok({ activity: crud(), replies: [] }));
    const { user } = await openAt(`/@londo/status/${uuid(100)}`);
    await stream.send("gone", { uuid: uuid(100) });
    await user.click(main().getByRole("button", { name: "Report this crud…" }));
    server.on("post", "/api/reports", ok({ uuid: uuid(1), status: "reported" }));
    await user.selectOptions(screen.getByLabelText("What is it about?"), "violence");
    await user.click(screen.getByRole("button", { name: "Send report" }));
    await settle();
    expect(server.sent("post", "/api/reports")[0]?.body).toMatchObject({ uuid: uuid(100) });
  });

  test("is not counted on its author's profile", async () => {
    server.on("get", PROFILE, ok({ profile: profile(), activities: [numbered(1)] }));
    await openAt("/@londo");
    await stream.send("gone", { uuid: uuid(1) });
    await pass(SECOND);
    await pass(1);
    expect(listed()).toEqual([]);
    expect(main().getByText(/live/)).toHaveTextContent("0 live cruds");
  });

  test("shows that it is gone on its own page", async () => {
    server.on("get", STATUS, ok({ activity: crud(), replies: [] }));
    await openAt(`/@londo/status/${uuid(100)}`);
    await stream.send("gone", { uuid: uuid(100) });
    expect(screen.getByText("This crud is gone")).toBeInTheDocument();
  });

  test.each(["before", "after"])(
    "among replies is subtracted once, if it arrives %s the count",
    async (order) => {
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
        await stream.send(type, data);
      }
      await pass(SECOND);
      expect(listed()).toHaveLength(2);
      expect(main().getByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
    },
  );

  test("loses its notification", async () => {
    signIn();
    server.on(
      "get",
      NOTES,
      ok([notes(), notes({ uuid: uuid(501), activity: crud({ uuid: uuid(101) }) })]),
    );
    await openAt("/notifications");
    await stream.send("gone", { uuid: uuid(100) });
    expect(main().getAllByRole("listitem")[0]).toHaveClass("fading");
    await pass(SECOND);
    expect(main().getAllByRole("listitem")).toHaveLength(1);
  });

  test("is not counted as unread", async () => {
    signIn();
    server.on("get", UNREAD_NOTES, ok({ count: 1 }), ok({ count: 0 }));
    await openHome();
    expect(nav().getByRole("link", { name: "Notifications 1 unread" })).toBeInTheDocument();
    await stream.send("gone", { uuid: uuid(100) });
    await pass(21 * SECOND);
    expect(nav().getByRole("link", { name: "Notifications" })).toBeInTheDocument();
  });
});

describe("a message", () => {
  const incoming = message({ uuid: uuid(301), message: "Well?", created_at: at(0) });
  const event = { ...incoming, message_group_uuid: uuid(400) };
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

  test("is counted while its conversation is not open", async () => {
    server.on("get", UNREAD_MESSAGES, ok({ count: 0 }), ok({ count: 1 }));
    await openHome();
    await stream.send("message", event);
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toBeInTheDocument();
  });

  test("is shown as the latest in the list of conversations", async () => {
    await openAt("/messages");
    server.on("get", GROUPS, ok([group({ message: "Well?", unread_count: 1 })]));
    await stream.send("message", event);
    await pass(SECOND);
    expect(
      main().getByRole("link", { name: /Londo Mollari.*Well\?.*1 unread/ }),
    ).toBeInTheDocument();
  });

  test("is added to the open conversation, and marked read", async () => {
    await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    server.on("get", MESSAGES, ok([message(), incoming]));
    await stream.send("message", event);
    expect(words()).toEqual(["Hello.", "Well?"]);
    expect(said()).toBe("Londo Mollari: Well?");
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Well?"]);
    expect(server.sent("get", MESSAGES)).toHaveLength(before + 1);
    expect(server.requests.at(-1)?.url.pathname).toBe(UNREAD_MESSAGES);
  });

  test("that was left unread is counted", async () => {
    const { user } = await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    server.on("get", UNREAD_MESSAGES, ok({ count: 1 }));
    await stream.send("message", event);
    await user.click(nav().getByRole("link", { name: "Home" }));
    await pass(SECOND);
    expect(server.sent("get", MESSAGES)).toHaveLength(before);
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toBeInTheDocument();
  });

  test("that has expired leaves its conversation", async () => {
    await openConversation(message(), message({ uuid: uuid(301), message: "Brief." }));
    expect(screen.getByText("Brief.")).toBeInTheDocument();
    await stream.send("gone", { uuid: uuid(301) }, { isLogged: false });
    await settle();
    expect(screen.queryByText("Brief.")).not.toBeInTheDocument();
    expect(screen.getByText("Hello.")).toBeInTheDocument();
  });

  test("of the member does not refetch its conversation", async () => {
    server.on("post", "/api/messages", ok(mine));
    await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    await send("Message to @londo", "Qapla’!");
    await stream.send("message", mine);
    await pass(SECOND);
    expect(server.sent("get", MESSAGES)).toHaveLength(before);
  });

  test("is not marked read while the tab is hidden", async () => {
    await openConversation(message());
    const before = server.sent("get", MESSAGES).length;
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    server.on("get", UNREAD_MESSAGES, ok({ count: 1 }), ok({ count: 0 }));
    await stream.send("message", event);
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Messages 1 unread" })).toBeInTheDocument();
    expect(server.sent("get", MESSAGES)).toHaveLength(before);
    server.on("get", MESSAGES, ok([message(), incoming]));
    visibility.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("visibilitychange"));
    await pass(SECOND);
    expect(server.sent("get", MESSAGES)).toHaveLength(before + 1);
    expect(nav().getByRole("link", { name: "Messages" })).toBeInTheDocument();
  });

  test.each(["before", "after"])(
    "of the member that arrives %s the response is listed once",
    async (order) => {
      const answer = server.hold("post", "/api/messages");
      await openConversation(message());
      server.on("get", MESSAGES, ok([message(), mine]));
      await send("Message to @londo", "Qapla’!");
      if (order === "before") {
        await stream.send("message", mine);
      }
      expect(words()).toEqual(["Hello.", "Qapla’!"]);
      answer.release(ok(mine));
      await settle();
      if (order === "after") {
        await stream.send("message", mine);
      }
      expect(words()).toEqual(["Hello.", "Qapla’!"]);
      await pass(SECOND);
      expect(words()).toEqual(["Hello.", "Qapla’!"]);
    },
  );

  test("of the member whose response is lost is listed", async () => {
    const answer = server.hold("post", "/api/messages");
    await openConversation(message());
    server.on("get", MESSAGES, ok([message(), mine]));
    await send("Message to @londo", "Qapla’!");
    await stream.send("message", mine);
    answer.release(unreachable());
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Qapla’!"]);
    expect(screen.getByRole("textbox", { name: "Message @londo" })).toHaveValue("Qapla’!");
  });

  test("that arrives while another is being sent does not move that one", async () => {
    const answer = server.hold("post", "/api/messages");
    await openConversation(message());
    await send("Message to @londo", "Qapla’!");
    server.on("get", MESSAGES, ok([message(), incoming]), ok([message(), incoming, mine]));
    await stream.send("message", event);
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Qapla’!", "Well?"]);
    answer.release(ok(mine));
    await settle();
    await stream.send("message", mine);
    await pass(SECOND);
    expect(words()).toEqual(["Hello.", "Well?", "Qapla’!"]);
  });

  test("sent from another device is added to its conversation", async () => {
    const { user } = await openAt("/messages");
    server.on("get", MESSAGES, ok([message()]));
    await user.click(main().getByRole("link", { name: /Londo Mollari/ }));
    await settle();
    server.on("get", MESSAGES, ok([message(), mine]));
    await stream.send("message", mine);
    expect(words()).toEqual(["Hello.", "Qapla’!"]);
  });

  test("sent from another device is added to a conversation opened directly", async () => {
    await openConversation(message());
    server.on("get", MESSAGES, ok([message(), mine]));
    await stream.send("message", mine);
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
    await stream.send("notification", note());
    await stream.send("notification", note({ uuid: uuid(501) }));
    await pass(SECOND);
    expect(nav().getByRole("link", { name: "Notifications 2 unread" })).toBeInTheDocument();
    expect(server.sent("get", UNREAD_NOTES)).toHaveLength(before + 1);
  });

  test("is added to the open list, and marked read", async () => {
    const older = notes({ activity: crud({ message: "Why?" }) });
    server.on("get", NOTES, ok([older]));
    await openAt("/notifications");
    const newer = notes({ uuid: uuid(501), activity: crud({ uuid: uuid(101), message: "How?" }) });
    server.on("get", NOTES, ok([newer, older]));
    await stream.send("notification", note({ uuid: uuid(501), activity_uuid: uuid(101) }));
    await pass(SECOND);
    const words = () =>
      main()
        .getAllByRole("listitem")
        .map(({ textContent }) => textContent);
    expect(words()).toEqual([expect.stringMatching("How"), expect.stringMatching("Why")]);
    expect(nav().getByRole("link", { name: "Notifications" })).toBeInTheDocument();
  });
});

describe("while the stream is live", () => {
  test("the page does not poll", async () => {
    signIn();
    server.on("get", NOTES, ok([]));
    server.on("get", HOME, ok([numbered(1)]));
    const { user } = await openAt("/notifications");
    await user.click(nav().getByRole("link", { name: "Home" }));
    await settle();
    await settle();
    const before = server.requests.length;
    for (let time = 0; time < 90; time += 15) {
      await stream.write(":\n\n");
      await pass(15 * SECOND);
    }
    expect(server.requests).toHaveLength(before);
  });

  test("a reset event refetches everything", async () => {
    await openHome(numbered(1));
    server.on("get", HOME, ok([numbered(3)]));
    await stream.write("event: reset\nid: 77\ndata: {}\n\n");
    await pass(SECOND);
    expect(listed()).toEqual(["Crud 3"]);
    await stream.end();
    await pass(SECOND);
    expect(stream.asked.at(-1)?.headers.get("Last-Event-ID")).toBe("77");
  });

  test("unknown events are ignored", async () => {
    await openHome(numbered(1));
    await stream.send("crudquake", { magnitude: 9 });
    expect(listed()).toEqual(["Crud 1"]);
  });

  test("one member's events are not shown to the next", async () => {
    signIn();
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    server.on("get", MESSAGES, ok([]));
    await openAt("/messages/@londo");
    const incoming = JSON.stringify({ ...message(), message_group_uuid: uuid(400) });
    await stream.write(`event: message\ndata: ${incoming}\n\n`);
    signIn({ ...WORF, uuid: uuid(7), handle: "gkar" });
    await settle();
    await pass(1);
    expect(main().getByText("Say hello")).toBeInTheDocument();
  });
});

describe("a stream that connects late", () => {
  test("refetches everything but the home feed", async () => {
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

describe("a lost stream", () => {
  const WORDS = "Not live";

  test("shows a quiet mark after a while, and polling starts", async () => {
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
