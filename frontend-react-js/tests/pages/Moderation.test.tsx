import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { AccountHistory, CasePage, Decision, Notice } from "../../src/api/wire";
import { recordDownloads } from "../support/downloads";
import {
  crud,
  LONDO,
  message,
  ownCrud,
  profile,
  secondFactor,
  signIn,
  uuid,
  WORF,
} from "../support/make";
import { showPage } from "../support/page";
import { file, ok, refuse, type Server, servePage } from "../support/server";
import { at, DAY, HOUR, pass, SECOND, settle } from "../support/time";

const CASES = "/api/moderation/cases";
const CASE = "/api/moderation/cases/{uuid}";

let server: Server;

beforeEach(() => {
  server = servePage();
});

const about: CasePage["case"] = {
  uuid: uuid(700),
  kind: "crud",
  subject_uuid: uuid(100),
  user: LONDO,
  categories: ["hate", "spam", "hate"],
  opened_at: at(-HOUR),
  closed_at: null,
  has_appeal: false,
  is_open: true,
};

function decision(change: Partial<Decision> = {}): Decision {
  return {
    uuid: uuid(800),
    case_uuid: about.uuid,
    actor_handle: "worf",
    kind: "warn",
    reason: "Be kind",
    created_at: at(-HOUR),
    ends_at: null,
    appeal: null,
    appealed_at: null,
    decision: null,
    decision_reason: null,
    decided_at: null,
    ...change,
  };
}

const account: AccountHistory = {
  user: LONDO,
  role: "member",
  joined_at: at(-30 * DAY),
  limited_until: null,
  is_suspended: false,
  suspended_until: null,
  cases_count: 1,
  open_count: 1,
  decisions: [],
};

function opened(change: Partial<CasePage> = {}): CasePage {
  return {
    case: about,
    reports: [
      {
        uuid: uuid(701),
        handle: "delenn",
        display_name: "Delenn",
        category: "hate",
        words: "He insults the Narn",
        created_at: at(-HOUR),
      },
    ],
    evidence: [
      {
        uuid: uuid(702),
        created_at: at(-HOUR),
        expires_at: at(13 * DAY),
        content: {
          kind: "crud",
          uuid: uuid(100),
          user_uuid: LONDO.uuid,
          handle: "londo",
          display_name: "Londo Mollari",
          bio: "",
          avatar: null,
          message: "Narn are vermin",
          created_at: at(-2 * HOUR),
          expires_at: at(-HOUR),
          was_deleted: true,
          pictures: [{ alt: "a drawing", jpeg: btoa("jpeg") }],
          context: [
            {
              uuid: uuid(99),
              handle: "gkar",
              display_name: "G’Kar",
              message: "We want peace",
              created_at: at(-3 * HOUR),
            },
          ],
        },
      },
    ],
    account,
    can_act: true,
    ...change,
  };
}

function notice(change: Partial<Notice> = {}): Notice {
  return {
    uuid: uuid(800),
    kind: "warn",
    reason: "Be kind",
    created_at: at(-HOUR),
    ends_at: null,
    unread: true,
    appeal: "possible",
    decision_reason: null,
    ...change,
  };
}

function choose(label: string, value: string): void {
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
}

async function press(name: string): Promise<void> {
  fireEvent.click(screen.getByRole("button", { name }));
  await settle();
}

test("a member reports another member’s crud, and not their own", async () => {
  signIn();
  server.on("get", "/api/activities/home", ok([crud(), ownCrud({ uuid: uuid(101) })]));
  server.on(
    "post",
    "/api/reports",
    refuse(422, "category_invalid"),
    refuse(429, "rate_limited"),
    ok({ uuid: uuid(1), status: "reported" }),
  );
  showPage("/");
  await settle();
  expect(screen.getAllByRole("button", { name: "More" })).toHaveLength(1);
  await press("More");
  await press("Report this crud…");
  const dialog = screen.getByRole("dialog", { name: "Report this crud by @londo" });
  expect(screen.getByLabelText("What is it about?")).toHaveValue("");
  choose("Details", "He insults the Narn");
  await press("Send report");
  expect(screen.getByLabelText("What is it about?")).toHaveFocus();
  expect(screen.getByLabelText("What is it about?")).toHaveAccessibleDescription(
    "Choose what the report is about.",
  );
  choose("What is it about?", "hate");
  await press("Send report");
  expect(within(dialog).getByText(/Too many attempts/)).toBeVisible();
  await press("Send report");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(server.sent("post", "/api/reports").at(-1)?.body).toEqual({
    kind: "crud",
    uuid: crud().uuid,
    category: "hate",
    words: "He insults the Narn",
  });
});

test("a visitor sees no button to report", async () => {
  server.on("get", "/api/activities/home", ok([crud()]));
  showPage("/");
  await settle();
  expect(screen.queryByRole("button", { name: "More" })).toBeNull();
});

test("a profile and a message can be reported", async () => {
  signIn();
  server.on(
    "get",
    "/api/activities/@{handle}",
    ok({ profile: profile({ ...LONDO }), activities: [] }),
  );
  const shown = showPage("/@londo");
  await settle();
  await press("More");
  await press("Report this profile…");
  expect(screen.getByRole("dialog", { name: "Report @londo" })).toBeVisible();
  shown.unmount();
  server.on("get", "/api/users/@{handle}/short", ok(LONDO));
  server.on("get", "/api/messages/@{handle}", ok([message({ handle: "londo", message: "You!" })]));
  showPage("/messages/@londo");
  await settle();
  await press("Report: You!");
  expect(screen.getByRole("dialog", { name: "Report this message from @londo" })).toBeVisible();
});

test("only moderators have the page in their navigation", async () => {
  signIn();
  const shown = showPage("/");
  await settle();
  expect(screen.queryByRole("link", { name: "Moderation" })).toBeNull();
  shown.unmount();
  signIn({ ...WORF, role: "moderator", unread_notices: 2 });
  showPage("/");
  await settle();
  expect(screen.getByRole("link", { name: "Moderation" })).toBeVisible();
  expect(screen.getByRole("link", { name: /Settings 2/ })).toBeVisible();
});

test("a member who is no moderator is told so", async () => {
  signIn();
  showPage("/moderation");
  await settle();
  expect(screen.getByRole("heading", { name: "This page is for moderators" })).toBeVisible();
  expect(server.sent("get", CASES).map(({ body }) => body)).toEqual([]);
});

test.each(["/moderation", `/moderation?case=${uuid(700)}`])(
  "a moderator without the second factor that is required is led to the settings from %s",
  async (address) => {
    signIn({ ...WORF, role: "moderator" });
    server.on("get", CASES, refuse(403, "second_factor_required"));
    server.on("get", CASE, refuse(403, "second_factor_required"));
    showPage(address);
    await settle();
    expect(screen.getByRole("heading", { name: "Protect your account first" })).toBeVisible();
    expect(screen.getByRole("link", { name: "Go to settings" })).toHaveAttribute(
      "href",
      "/settings",
    );
  },
);

test("a moderator opens a case from the queue, and decides", async () => {
  vi.stubGlobal(
    "URL",
    Object.assign(URL, { createObjectURL: () => "blob:x", revokeObjectURL: () => undefined }),
  );
  signIn({ ...WORF, role: "moderator" });
  server.on("get", CASES, ok([about]));
  server.on(
    "get",
    CASE,
    ok(opened()),
    ok(
      opened({
        case: { ...about, closed_at: at(0), is_open: false },
        account: { ...account, decisions: [decision({ kind: "suspend" })] },
      }),
    ),
  );
  server.on(
    "post",
    "/api/moderation/cases/{uuid}/decisions",
    refuse(422, "reason_blank"),
    ok(account),
  );
  showPage("/moderation");
  await settle();
  fireEvent.click(
    screen.getByRole("link", { name: /^Crud by @londo ?Open.*Hate, Spam or fraud$/ }),
  );
  await settle();
  const evidence = within(screen.getByRole("region", { name: "Evidence" }));
  expect(evidence.getByText("Narn are vermin")).toBeVisible();
  expect(evidence.getByText("We want peace")).toBeVisible();
  expect(evidence.getByText(/The author deleted it/)).toBeVisible();
  expect(evidence.getByRole("img", { name: "a drawing" })).toHaveAttribute("src", "blob:x");
  expect(screen.getByText("He insults the Narn")).toBeVisible();
  choose("Decision", "suspend");
  choose("Days", "3");
  await press("Suspend");
  expect(screen.getByLabelText("Reason")).toHaveAccessibleDescription(/Give a reason/);
  choose("Reason", "No insults");
  await press("Suspend");
  expect(server.sent("post", "/api/moderation/cases/{uuid}/decisions").at(-1)?.body).toEqual({
    kind: "suspend",
    days: 3,
    reason: "No insults",
    again: false,
  });
  await waitFor(() =>
    expect(screen.getByRole("region", { name: "History of the account" })).toHaveTextContent(
      "Be kind",
    ),
  );
  expect(screen.queryByRole("option", { name: "Dismiss" })).toBeNull();
});

test("a moderator reads earlier copies on demand, and decides again", async () => {
  signIn({ ...WORF, role: "moderator" });
  const closed = opened({ case: { ...about, closed_at: at(0), is_open: false } });
  const earlier = closed.evidence.map((copy) => ({
    ...copy,
    uuid: uuid(703),
    content: copy.content && { ...copy.content, message: "First" },
  }));
  server.on("get", CASE, ok(closed, { next: "cursor" }), ok({ ...closed, evidence: earlier }));
  server.on("post", "/api/moderation/cases/{uuid}/decisions", refuse(422, "case_decided"));
  showPage(`/moderation?case=${about.uuid}`);
  await settle();
  expect(screen.queryByText("First")).toBeNull();
  await press("Show earlier copies");
  expect(screen.getByText("First")).toBeVisible();
  choose("Reason", "Be kind");
  await press("Warn");
  expect(server.sent("post", "/api/moderation/cases/{uuid}/decisions").at(-1)?.body).toEqual({
    kind: "warn",
    reason: "Be kind",
    again: true,
  });
  expect(screen.getByText(/Another moderator has decided this case/)).toBeVisible();
});

test("a moderator limits an account, and lifts the limit", async () => {
  signIn({ ...WORF, role: "moderator" });
  const limited = { ...account, limited_until: at(DAY), decisions: [decision({ kind: "limit" })] };
  server.on("get", CASE, ok(opened()), ok(opened({ account: limited })));
  server.on("post", "/api/moderation/cases/{uuid}/decisions", ok(limited));
  showPage(`/moderation?case=${about.uuid}`);
  await settle();
  expect(screen.queryByRole("option", { name: "Lift restrictions" })).toBeNull();
  choose("Decision", "limit");
  expect(screen.getByText(/won’t see its cruds/)).toBeVisible();
  choose("Days", "2");
  choose("Reason", "Spam");
  await press("Limit");
  expect(server.sent("post", "/api/moderation/cases/{uuid}/decisions").at(-1)?.body).toEqual({
    kind: "limit",
    days: 2,
    reason: "Spam",
    again: false,
  });
  await waitFor(() => expect(screen.getByText(/Limited until/)).toBeVisible());
  expect(screen.getByRole("option", { name: "Lift restrictions" })).toBeInTheDocument();
});

test("an appeal is decided", async () => {
  signIn({ ...WORF, role: "moderator" });
  const appealed = decision({ appeal: "I was quoting", appealed_at: at(-HOUR) });
  server.on(
    "get",
    CASE,
    ok(opened({ account: { ...account, decisions: [appealed] }, evidence: [] })),
  );
  server.on("post", "/api/moderation/appeals/{uuid}", ok(account));
  showPage(`/moderation?case=${about.uuid}`);
  await settle();
  expect(screen.getByText("I was quoting")).toBeVisible();
  expect(screen.getByText(/evidence was deleted/)).toBeVisible();
  const form = within(screen.getByRole("form", { name: "Decide the appeal" }));
  fireEvent.change(form.getByLabelText("Decision"), { target: { value: "overturned" } });
  fireEvent.change(form.getByLabelText("Reason"), { target: { value: "So you were" } });
  await press("Decide the appeal");
  expect(server.sent("post", "/api/moderation/appeals/{uuid}").map(({ body }) => body)).toEqual([
    { decision: "overturned", reason: "So you were" },
  ]);
});

test("a member is led from the settings to decisions, and appeals", async () => {
  signIn({ ...WORF, unread_notices: 1 });
  server.on(
    "get",
    "/api/notices",
    ok([notice()]),
    ok([notice({ appeal: "waiting", unread: false })]),
  );
  server.on("post", "/api/notices/{uuid}/appeal", ok({ status: "appealed" }));
  server.on("get", "/api/auth/sessions", ok([]));
  server.on("get", "/api/auth/tokens", ok([]));
  server.on("get", "/api/auth/second-factor", ok(secondFactor()));
  server.on("get", "/api/activities/@{handle}", ok({ profile: profile(WORF), activities: [] }));
  showPage("/settings");
  await settle();
  expect(screen.getByText("There is 1 new decision.")).toBeVisible();
  fireEvent.click(screen.getByRole("link", { name: "Show decisions" }));
  await settle();
  const part = within(screen.getByRole("main"));
  expect(part.getByText("Be kind")).toBeVisible();
  expect(screen.queryByRole("link", { name: /Settings 1/ })).toBeNull(); // it is read
  fireEvent.change(part.getByLabelText("Why is the decision wrong?"), {
    target: { value: "I was quoting" },
  });
  fireEvent.click(part.getByRole("button", { name: "Send appeal" }));
  await waitFor(() => expect(part.getByText(/waiting for a moderator/)).toBeVisible());
  expect(server.sent("post", "/api/notices/{uuid}/appeal").map(({ body }) => body)).toEqual([
    { words: "I was quoting" },
  ]);
});

describe("a suspended member", () => {
  const SUSPENSION = "/api/auth/suspension";
  const suspended = notice({ kind: "suspend", ends_at: at(DAY) });

  async function trySignIn() {
    server.on("post", "/api/auth/signin", refuse(403, "account_suspended"));
    showPage("/signin");
    await settle();
    choose("Email or handle", "worf");
    choose("Password", "today is a good day");
    await press("Sign in");
    await settle();
    expect(screen.getByText("Your account is suspended.")).toBeVisible();
  }

  test("sees the reason at the sign-in, and appeals", async () => {
    server.on("get", SUSPENSION, ok(suspended), ok({ ...suspended, appeal: "waiting" }));
    server.on("post", "/api/notices/{uuid}/appeal", ok({ status: "appealed" }));
    await trySignIn();
    await waitFor(() => expect(screen.getByText("Be kind")).toBeVisible());
    choose("Why is the decision wrong?", "I was quoting");
    await press("Send appeal");
    await waitFor(() => expect(screen.getByText(/waiting for a moderator/)).toBeVisible());
    expect(server.sent("post", "/api/notices/{uuid}/appeal").map(({ body }) => body)).toEqual([
      { words: "I was quoting" },
    ]);
  });

  test("downloads their data and deletes the account, or signs out", async () => {
    const saved = recordDownloads();
    server.on("get", SUSPENSION, ok(suspended));
    server.on("get", "/api/auth/export", file("PK", "application/zip"));
    server.on("post", "/api/auth/signout", ok({ status: "signed_out" }));
    server.on(
      "delete",
      "/api/auth/me",
      refuse(401, "credentials_invalid"),
      ok({ status: "deleted" }),
    );
    await trySignIn();
    await waitFor(() => expect(screen.getByText("Be kind")).toBeVisible());
    await press("Download your data");
    await waitFor(() => expect(saved).toEqual(["cruddur-archive.zip"]));
    await press("Sign out");
    await waitFor(() => expect(screen.queryByText("Be kind")).toBeNull());
    await press("Sign in");
    await waitFor(() => expect(screen.getByText("Be kind")).toBeVisible());
    await press("Delete account…");
    const dialog = within(screen.getByRole("dialog"));
    for (const password of ["wrong", "today is a good day"]) {
      fireEvent.change(dialog.getByLabelText("Your password"), { target: { value: password } });
      fireEvent.click(dialog.getByRole("button", { name: "Delete account" }));
      await settle();
    }
    expect(server.sent("delete", "/api/auth/me").map(({ body }) => body)).toEqual([
      { password: "wrong" },
      { password: "today is a good day" },
    ]);
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(screen.getByText("Your account is deleted")).toBeVisible();
  });

  test("whose account was deleted sees no decision", async () => {
    server.on("get", SUSPENSION, refuse(401, "generic_401"));
    await trySignIn();
    await waitFor(() => expect(server.sent("get", SUSPENSION)).toHaveLength(1));
    await settle();
    expect(screen.queryByRole("region", { name: "Your data" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  });

  test("can ask again for a decision that the server could not send", async () => {
    server.on("get", SUSPENSION, refuse(503, "unavailable"), ok(suspended));
    await trySignIn();
    await waitFor(() => expect(screen.getByRole("button", { name: "Try again" })).toBeVisible());
    await press("Try again");
    await waitFor(() => expect(screen.getByText("Be kind")).toBeVisible());
  });
});

test("evidence has everything in the order of its times, and marks what was reported", async () => {
  signIn({ ...WORF, role: "moderator" });
  const line = (number: number, hours: number) => ({
    uuid: uuid(number),
    handle: "gkar",
    display_name: "G’Kar",
    message: `Message ${number}`,
    created_at: at(-hours * HOUR),
  });
  const [copy] = opened().evidence;
  if (copy?.content == null) {
    throw new Error("the evidence has no content");
  }
  const content = { ...copy.content, ...line(2, 2), context: [line(1, 3), line(3, 1)] };
  server.on("get", CASE, ok(opened({ evidence: [{ ...copy, content }] })));
  showPage(`/moderation?case=${about.uuid}`);
  await settle();
  const lines = within(screen.getByRole("list", { name: /What was reported/ }))
    .getAllByRole("listitem")
    .map(({ textContent }) => textContent);
  expect(lines.map((text) => text?.match(/Message \d/)?.[0])).toEqual([
    "Message 1",
    "Message 2",
    "Message 3",
  ]);
  expect(lines.map((text) => text?.includes("Reported"))).toEqual([false, true, false]);
  expect(screen.queryByRole("option", { name: "Remove crud" })).toBeNull(); // it was deleted
});

test("a decision that has ended is not shown as in force", async () => {
  signIn();
  const limit = { kind: "limit", ends_at: at(3 * DAY) } as const;
  const standing = notice({ ...limit, uuid: uuid(801), created_at: at(-HOUR) });
  const lift = notice({ uuid: uuid(802), kind: "lift", created_at: at(-2 * HOUR) });
  const lifted = notice({ ...limit, uuid: uuid(803), created_at: at(-3 * HOUR) });
  const overturned = notice({
    uuid: uuid(804),
    kind: "suspend",
    ends_at: at(3 * DAY),
    created_at: at(-HOUR),
    appeal: "overturned",
  });
  server.on("get", "/api/notices", ok([standing, overturned, lift, lifted]));
  showPage("/notices");
  await settle();
  const texts = screen.getAllByRole("article").map(({ textContent }) => textContent ?? "");
  expect(texts.map((text) => /Limited until|Suspended until/.test(text))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(texts.map((text) => /No longer in effect/.test(text))).toEqual([false, true, false, true]);
});

test("new reports, decisions and a new role show up without a reload", async () => {
  signIn();
  const shown = showPage("/");
  await settle();
  server.on(
    "get",
    "/api/auth/me",
    ok({ ...WORF, role: "moderator", unread_notices: 1, open_cases: 3 }),
  );
  await pass(61 * SECOND);
  await shown.user.click(screen.getAllByRole("link", { name: "About" })[0] as HTMLElement);
  await settle();
  expect(screen.getByRole("link", { name: /Settings.*1/ })).toBeVisible();
  expect(screen.getByRole("link", { name: /Moderation.*3 open/ })).toBeVisible();
  shown.unmount();
  server.on("get", CASES, ok([]), ok([about]));
  showPage("/moderation");
  await settle();
  expect(screen.getByText("No reports")).toBeVisible();
  await pass(16 * SECOND);
  expect(screen.getByRole("link", { name: /Crud by @londo/ })).toBeVisible();
});
