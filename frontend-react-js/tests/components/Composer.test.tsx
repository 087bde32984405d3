import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CrudForm, ReplyForm } from "../../src/components/CrudForm";
import { goneTime } from "../../src/text/time";
import { crud, LONDO, ownCrud, profile, signIn, uuid, WORF } from "../support/make";
import { type Shown, show, showPage } from "../support/page";
import { ok, refuse, type Server, servePage, unreachable } from "../support/server";
import { at, DAY, HOUR, pass, SECOND, settle } from "../support/time";

const POST = "/api/activities";
const REPLY = "/api/activities/{uuid}/reply";
const HOME = "/api/activities/home";

let server: Server;

beforeEach(() => {
  server = servePage();
  signIn();
});

function form(): HTMLElement {
  return screen.getByRole("form", { name: "New crud" });
}

function area(): HTMLElement {
  return within(form()).getByRole("textbox", { name: "What’s on your mind?" });
}

function button(): HTMLElement {
  return within(form()).getByRole("button", { name: "Crud it" });
}

function counter(): HTMLElement {
  return within(form()).getByRole("status");
}

function write(text: string): void {
  fireEvent.change(area(), { target: { value: text } });
}

/** The idempotency keys of the cruds that were sent. */
function keys(): (string | null)[] {
  return server.sent("post", POST).map(({ headers }) => headers.get("Idempotency-Key"));
}

/** The texts of the cruds on screen, in order. */
function listed(): (string | null | undefined)[] {
  return screen
    .queryAllByRole("article")
    .map((article) => article.querySelector(".rich")?.textContent);
}

async function sendAndFail(shown: Shown): Promise<void> {
  server.on("post", POST, unreachable());
  await shown.user.click(button());
  await within(form()).findByRole("alert");
}

describe("the text", () => {
  test("must not be blank", () => {
    show(<CrudForm />);
    expect(button()).toBeDisabled();
    write(" \n\t ");
    expect(button()).toBeDisabled();
    write("\u{e0041}\u3164");
    expect(button()).toBeDisabled();
    fireEvent.submit(form());
    expect(server.sent("post", POST)).toHaveLength(0);
    write(" . ");
    expect(button()).toBeEnabled();
  });

  test.each([
    ["letters", "a".repeat(280), "a"],
    ["emoji", "😀".repeat(280), "😀"],
    ["families of five code points each", "👩‍👩‍👧".repeat(56), "\u200d"],
    ["combining accents, which are composed", "e\u0301".repeat(280), "e\u0301"],
  ])("has the server's length limit, counted as the server counts: %s", (_, longest, more) => {
    show(<CrudForm />);
    write(longest);
    expect(button()).toBeEnabled();
    expect(counter()).toHaveTextContent("0 characters left");
    expect(area()).not.toHaveAttribute("aria-invalid");
    write(longest + more);
    expect(button()).toBeDisabled();
    expect(counter()).toHaveTextContent(/^1 .* too many$/);
    expect(area()).toHaveAttribute("aria-invalid", "true");
    fireEvent.submit(form());
    expect(server.sent("post", POST)).toHaveLength(0);
  });

  test("is announced only when few characters are left", () => {
    show(<CrudForm />);
    expect(form()).toHaveTextContent("280");
    write("a".repeat(259));
    expect(form()).toHaveTextContent("21");
    expect(counter()).toBeEmptyDOMElement();
    write("a".repeat(260));
    expect(counter()).toHaveTextContent("20 characters left");
  });
});

describe("sending", () => {
  test("sends the text unchanged, with the chosen lifetime", async () => {
    server.on("post", POST, ok(ownCrud()));
    const { user } = show(<CrudForm />);
    expect(within(form()).getByRole("combobox")).toHaveDisplayValue("7 days");
    write("  “Qapla’” 😀\n\n ");
    await user.selectOptions(within(form()).getByRole("combobox"), "1 hour");
    await user.click(button());
    expect(server.sent("post", POST)[0]?.body).toEqual({
      message: "  “Qapla’” 😀\n\n ",
      ttl: "1-hour",
    });
  });

  test.each([
    ["7-days", "7 days"],
    ["30-days", "30 days"],
    ["3-days", "3 days"],
    ["1-day", "1 day"],
    ["12-hours", "12 hours"],
    ["3-hours", "3 hours"],
    ["1-hour", "1 hour"],
  ])("sends the lifetime %s", async (ttl, words) => {
    server.on("post", POST, ok(ownCrud()));
    const { user } = show(<CrudForm />);
    write("x");
    await user.selectOptions(within(form()).getByRole("combobox"), words);
    await user.click(button());
    expect(server.sent("post", POST)[0]?.body).toEqual({ message: "x", ttl });
  });

  test("says when the crud will be gone", async () => {
    const { user } = show(<CrudForm />);
    const lifetime = within(form()).getByRole("combobox");
    for (const [words, end] of [
      ["1 hour", HOUR],
      ["3 days", 3 * DAY],
      ["30 days", 30 * DAY],
    ] as const) {
      await user.selectOptions(lifetime, words);
      const now = Date.now();
      expect(lifetime).toHaveAccessibleDescription(goneTime(now + end, now));
    }
    await pass(HOUR);
    const later = Date.now();
    expect(lifetime).toHaveAccessibleDescription(goneTime(later + 30 * DAY, later));
  });

  test("says when a reply will be gone", () => {
    const expires_at = at(2 * HOUR);
    show(<ReplyForm to={crud({ expires_at })} />);
    expect(screen.getByText(goneTime(Date.parse(expires_at), Date.now()))).toBeVisible();
  });

  test("happens once, however often the button is pressed", async () => {
    const answer = server.hold("post", POST);
    const { user } = show(<CrudForm />);
    write("Once");
    fireEvent.submit(form());
    fireEvent.submit(form());
    await settle();
    expect(button()).toHaveAttribute("aria-disabled", "true");
    expect(button()).toHaveAttribute("aria-busy", "true");
    expect(area()).toHaveAttribute("readonly");
    fireEvent.submit(form());
    await user.dblClick(button());
    await settle();
    expect(server.sent("post", POST)).toHaveLength(1);
    answer.release(ok(ownCrud()));
    await settle();
    expect(server.sent("post", POST)).toHaveLength(1);
  });

  test.each(["Control", "Meta"])("is done by %s+Enter", async (key) => {
    server.on("post", POST, ok(ownCrud()));
    const { user } = show(<CrudForm />);
    await user.type(area(), `Hello{${key}>}{Enter}{/${key}}`);
    expect(server.sent("post", POST)).toHaveLength(1);
  });

  test("is not done by Enter alone", async () => {
    const { user } = show(<CrudForm />);
    await user.type(area(), "One{Enter}two{Shift>}{Enter}{/Shift}");
    expect(area()).toHaveValue("One\ntwo\n");
    expect(server.sent("post", POST)).toHaveLength(0);
  });

  test("is not done by an Enter that ends a composition", async () => {
    show(<CrudForm />);
    write("日本");
    fireEvent.keyDown(area(), { key: "Enter", ctrlKey: true, isComposing: true });
    fireEvent.keyDown(area(), { key: "Enter", ctrlKey: true, keyCode: 229 }); // as in Safari
    await settle();
    expect(server.sent("post", POST)).toHaveLength(0);
    server.on("post", POST, ok(ownCrud()));
    fireEvent.keyDown(area(), { key: "Enter", ctrlKey: true });
    await settle();
    expect(server.sent("post", POST)).toHaveLength(1);
  });

  test("clears the form, and the next crud has another key", async () => {
    server.on("post", POST, ok(ownCrud()));
    const { user } = show(<CrudForm />);
    for (const words of ["One", "Two"]) {
      write(words);
      await user.click(button());
      await waitFor(() => expect(area()).toHaveValue(""));
    }
    expect(new Set(keys()).size).toBe(2);
    expect({ ...sessionStorage }).toEqual({});
    expect(area()).toHaveFocus();
  });

  test("calls onDone after a success", async () => {
    server.on("post", POST, refuse(422, "message_invalid"), ok(ownCrud()));
    const onDone = vi.fn();
    const { user } = show(<CrudForm onDone={onDone} />);
    write("x");
    await user.click(button());
    await within(form()).findByRole("alert");
    expect(onDone).not.toHaveBeenCalled();
    await user.click(button());
    await settle();
    expect(onDone).toHaveBeenCalledOnce();
  });
});

describe("a draft", () => {
  test("survives a failure, and is sent with the same key", async () => {
    const shown = show(<CrudForm />);
    write("Dear diary");
    await sendAndFail(shown);
    expect(within(form()).getByRole("alert")).toHaveTextContent("We can’t reach Cruddur.");
    expect(area()).toHaveValue("Dear diary");
    server.on("post", POST, ok(ownCrud()));
    await shown.user.click(button());
    await waitFor(() => expect(area()).toHaveValue(""));
    expect(within(form()).queryByRole("alert")).not.toBeInTheDocument();
    const [first, second] = keys();
    expect(first).toMatch(/^[\x21-\x7e]{20,128}$/);
    expect(second).toBe(first);
  });

  test("survives the removal of its form, and is sent with the same key", async () => {
    const shown = show(<CrudForm />);
    write("Dear diary");
    await sendAndFail(shown);
    shown.unmount();
    const { user } = show(<CrudForm />);
    expect(area()).toHaveValue("Dear diary");
    server.on("post", POST, ok(ownCrud()));
    await user.click(button());
    await settle();
    const [first, second] = keys();
    expect(second).toBe(first);
  });

  test("with a changed text gets a new key", async () => {
    const shown = show(<CrudForm />);
    write("One");
    await sendAndFail(shown);
    write("Two");
    await sendAndFail(shown);
    write("One");
    await sendAndFail(shown);
    expect(new Set(keys()).size).toBe(3);
  });

  test("with a changed lifetime gets a new key", async () => {
    const shown = show(<CrudForm />);
    write("One");
    await sendAndFail(shown);
    await shown.user.selectOptions(within(form()).getByRole("combobox"), "1 day");
    await sendAndFail(shown);
    expect(new Set(keys()).size).toBe(2);
  });

  test("is cleared after sending, even if its form was removed", async () => {
    const answer = server.hold("post", POST);
    const shown = show(<CrudForm />);
    write("Goodbye");
    await shown.user.click(button());
    shown.unmount();
    answer.release(ok(ownCrud()));
    await settle();
    show(<CrudForm />);
    expect(area()).toHaveValue("");
  });

  test("survives a failure after its form was removed", async () => {
    const answer = server.hold("post", POST);
    const shown = show(<CrudForm />);
    write("Goodbye");
    await shown.user.click(button());
    shown.unmount();
    answer.release(unreachable());
    await settle();
    show(<CrudForm />);
    expect(area()).toHaveValue("Goodbye");
  });

  test("belongs to its author", () => {
    show(<CrudForm />).unmount();
    const shown = show(<CrudForm />);
    write("Secret");
    shown.unmount();
    signIn({ ...WORF, ...LONDO });
    show(<CrudForm />);
    expect(area()).toHaveValue("");
  });

  test("that was cleared by hand is not stored", () => {
    show(<CrudForm />);
    write("Oh");
    write("");
    expect({ ...sessionStorage }).toEqual({});
  });

  test.each(["nonsense", "null", '"text"', "{}", '{"text": 1, "key": "k"}'])(
    "is empty if the storage contains %j",
    (junk) => {
      sessionStorage.setItem(`cruddur.draft.${WORF.uuid}.crud`, junk);
      show(<CrudForm />);
      expect(area()).toHaveValue("");
    },
  );

  test("can be written and sent without storage", async () => {
    const refused = () => {
      throw new DOMException("The operation is insecure.", "SecurityError");
    };
    vi.stubGlobal("sessionStorage", { getItem: refused, setItem: refused, removeItem: refused });
    server.on("post", POST, ok(ownCrud()));
    const { user } = show(<CrudForm />);
    write("Hello");
    expect(area()).toHaveValue("Hello");
    await user.click(button());
    await waitFor(() => expect(area()).toHaveValue(""));
    vi.unstubAllGlobals();
  });
});

describe("a crud posted from the home page", () => {
  async function showHome(): Promise<Shown> {
    server.on("get", HOME, ok([crud({ message: "Old" })]));
    const shown = showPage("/");
    await screen.findByRole("article");
    return shown;
  }

  test("is listed at once, then as the server returns it", async () => {
    const answer = server.hold("post", POST);
    const { user } = await showHome();
    write("New #crud");
    await user.click(button());
    expect(listed()).toEqual(["New #crud", "Old"]);
    const [first] = screen.getAllByRole("article");
    expect(first).toHaveAttribute("aria-busy", "true");
    expect(first).toHaveAccessibleName("Crud by Worf");
    expect(first).toHaveTextContent(/(7d 0h|6d 23h) left/);
    const posted = ownCrud({ uuid: uuid(101), message: "New #crud", created_at: at(SECOND) });
    server.on("get", HOME, ok([posted, crud({ message: "Old" })]));
    answer.release(ok(posted));
    await settle();
    expect(listed()).toEqual(["New #crud", "Old"]);
    expect(screen.getAllByRole("article")[0]).not.toHaveAttribute("aria-busy");
    await pass(25 * SECOND);
    expect(listed()).toEqual(["New #crud", "Old"]);
    expect(server.sent("get", "/api/trending").length).toBeGreaterThan(1);
  });

  test("is removed when the server rejects it, and the text stays in the form", async () => {
    const answer = server.hold("post", POST);
    const { user } = await showHome();
    write("New");
    await user.click(button());
    expect(listed()).toEqual(["New", "Old"]);
    answer.release(refuse(503, "unavailable"));
    await settle();
    expect(listed()).toEqual(["Old"]);
    expect(area()).toHaveValue("New");
    expect(within(form()).getByRole("alert")).toHaveTextContent(/Trace [0-9a-f]{32}/);
  });

  test("is listed if it was posted before the feed had loaded", async () => {
    const feed = server.hold("get", HOME);
    server.on("post", POST, ok(ownCrud({ message: "Early" })));
    const { user } = showPage("/");
    write("Early");
    await user.click(button());
    await settle();
    const both = [ownCrud({ message: "Early" }), crud({ uuid: uuid(101), message: "Old" })];
    server.on("get", HOME, ok(both));
    while (feed.count > 0) {
      feed.release(ok(both));
    }
    await pass(SECOND);
    expect(listed()).toEqual(["Early", "Old"]);
  });
});

describe("a crud posted from another page", () => {
  test("is written in a dialog, and shown on the home page", async () => {
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(), activities: [] }));
    server.on("post", POST, ok(ownCrud({ message: "From afar" })));
    server.on("get", HOME, ok([ownCrud({ message: "From afar" })]));
    const { user, address } = showPage("/@londo");
    await user.click(screen.getByRole("button", { name: "Crud" }));
    const dialog = screen.getByRole("dialog", { name: "New crud" });
    expect(area()).toHaveFocus();
    await user.type(area(), "From afar");
    await user.click(button());
    await waitFor(() => expect(dialog).not.toBeInTheDocument());
    expect(address()).toBe("/");
    await screen.findByRole("article");
    expect(listed()).toEqual(["From afar"]);
  });

  test("does not navigate after the dialog was closed", async () => {
    const answer = server.hold("post", POST);
    const { user, address } = showPage("/about");
    await user.click(screen.getByRole("button", { name: "Crud" }));
    await user.type(area(), "Bye");
    await user.click(button());
    await user.click(screen.getByRole("button", { name: "Close" }));
    answer.release(ok(ownCrud()));
    await settle();
    expect(address()).toBe("/about");
  });

  test("uses the form that is already on the page", async () => {
    const { user } = showPage("/");
    await user.click(screen.getByRole("button", { name: "Crud" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(area()).toHaveFocus();
  });

  test("is counted on its author's profile", async () => {
    const own = profile({ ...WORF, cruds_count: 1 });
    server.on("get", "/api/activities/@{handle}", ok({ profile: own, activities: [ownCrud()] }));
    server.on("post", POST, ok(ownCrud({ uuid: uuid(101), message: "Another" })));
    const { user, address } = showPage("/@worf");
    await screen.findByText("live crud", { exact: false });
    await user.click(screen.getByRole("button", { name: "Crud" }));
    await user.type(area(), "Another");
    await user.click(button());
    await waitFor(() => expect(address()).toBe("/"));
    await user.click(screen.getByRole("link", { name: "Profile" }));
    await screen.findByText("live cruds", { exact: false });
    expect(listed()).toEqual(["Another", "Today is a good day"]);
  });
});

describe("a reply", () => {
  const parent = crud({ replies_count: 1 });
  const first = crud({
    uuid: uuid(201),
    message: "First",
    reply_to_activity_uuid: parent.uuid,
    handle: "gkar",
    display_name: "G’Kar",
  });
  const second = ownCrud({
    uuid: uuid(202),
    message: "Second",
    reply_to_activity_uuid: parent.uuid,
  });

  function replyForm(): HTMLElement {
    return screen.getByRole("form", { name: "Reply to Londo Mollari" });
  }

  async function reply(shown: Shown, words: string): Promise<void> {
    fireEvent.change(within(replyForm()).getByRole("textbox"), { target: { value: words } });
    await shown.user.click(within(replyForm()).getByRole("button", { name: "Reply" }));
  }

  async function showCrud(): Promise<Shown> {
    server.on(
      "get",
      "/api/activities/@{handle}/status/{uuid}",
      ok({ activity: parent, replies: [first] }),
    );
    const shown = showPage(`/@londo/status/${parent.uuid}`);
    await screen.findByText("First");
    return shown;
  }

  test("can have 1,024 characters", () => {
    show(<ReplyForm to={parent} />);
    const words = within(replyForm()).getByRole("textbox", { name: "Reply to @londo" });
    fireEvent.change(words, { target: { value: "😀".repeat(1024) } });
    expect(within(replyForm()).getByRole("button", { name: "Reply" })).toBeEnabled();
    fireEvent.change(words, { target: { value: "😀".repeat(1025) } });
    expect(within(replyForm()).getByRole("button", { name: "Reply" })).toBeDisabled();
  });

  test("is listed last at once, and counted", async () => {
    const answer = server.hold("post", REPLY);
    const shown = await showCrud();
    await reply(shown, "Second");
    const replies = within(screen.getByRole("region", { name: "Replies" }));
    const articles = replies.getAllByRole("article");
    expect(articles.map((article) => article.getAttribute("aria-label"))).toEqual([
      "Crud by G’Kar",
      "Crud by Worf",
    ]);
    expect(articles[1]).toHaveAttribute("aria-busy", "true");
    expect(articles[1]).toHaveTextContent("6d 23h left");
    expect(screen.getByRole("button", { name: "Reply, 2 replies" })).toBeInTheDocument();
    answer.release(ok(second));
    await settle();
    expect(replies.getAllByRole("article")).toHaveLength(2);
    expect(replies.getAllByRole("article")[1]).not.toHaveAttribute("aria-busy");
    expect(within(replyForm()).getByRole("textbox")).toHaveValue("");
    expect(server.sent("post", REPLY)[0]).toMatchObject({ body: { message: "Second" } });
    expect(server.sent("post", REPLY)[0]?.headers.get("Idempotency-Key")).toMatch(/./);
  });

  test("that is rejected is removed, and not counted", async () => {
    server.on("post", REPLY, refuse(404, "not_found"));
    const shown = await showCrud();
    await reply(shown, "Second");
    expect(await within(replyForm()).findByRole("alert")).toHaveTextContent("This has expired");
    expect(screen.queryByRole("article", { name: "Crud by Worf" })).not.toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Reply, 1 reply" })).toBeInTheDocument();
    expect(within(replyForm()).getByRole("textbox")).toHaveValue("Second");
  });

  test("to a crud in a list is written in a dialog, and counted in the list", async () => {
    server.on("get", HOME, ok([crud({ created_at: at(-HOUR) })]));
    server.on("post", REPLY, ok(second));
    const shown = showPage("/");
    await shown.user.click(await screen.findByRole("button", { name: "Reply, 0 replies" }));
    const dialog = screen.getByRole("dialog", { name: "Reply to Londo Mollari" });
    expect(dialog).toHaveTextContent("I do not like Santa Claus");
    expect(within(replyForm()).getByRole("textbox")).toHaveFocus();
    await reply(shown, "Second");
    await waitFor(() => expect(dialog).not.toBeInTheDocument());
    expect(screen.getByRole("button", { name: "Reply, 1 reply" })).toHaveFocus();
    expect(listed()).toEqual(["I do not like Santa Claus"]);
  });

  test("is not lost when its crud expires", async () => {
    const listedCrud = crud({ expires_at: at(10 * SECOND) });
    server.on("get", HOME, ok([listedCrud]));
    const shown = showPage("/");
    await shown.user.click(await screen.findByRole("button", { name: "Reply, 0 replies" }));
    const words = within(replyForm()).getByRole("textbox");
    fireEvent.change(words, { target: { value: "But" } });
    server.on("get", HOME, ok([]));
    await pass(12 * SECOND);
    expect(screen.queryByRole("article")).not.toBeInTheDocument();
    expect(screen.getByRole("dialog")).toHaveTextContent("This crud has just expired.");
    expect(words).toHaveValue("But");
    await shown.user.click(screen.getByRole("button", { name: "Close" }));
    await settle();
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(screen.getByText("No cruds right now")).toBeInTheDocument();
  });

  test("has its own draft for each crud", () => {
    const shown = show(<ReplyForm to={parent} />);
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "To one" } });
    shown.unmount();
    show(<ReplyForm to={first} />).unmount();
    show(<ReplyForm to={parent} />);
    expect(screen.getByRole("textbox")).toHaveValue("To one");
    expect(Object.keys({ ...sessionStorage })).toHaveLength(1);
  });
});
