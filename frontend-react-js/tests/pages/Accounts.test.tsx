import { screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { getSession } from "../../src/api/session";
import { crud, instance, LONDO, profile, signedIn, signIn, WORF } from "../support/make";
import { type Shown, showPage } from "../support/page";
import { ASSERTION, CHALLENGE, withPasskeys } from "../support/passkeys";
import { ok, refuse, type Server, servePage } from "../support/server";
import { settle } from "../support/time";

let server: Server;

beforeEach(() => {
  server = servePage();
});

function form(name: string): HTMLElement {
  return screen.getByRole("form", { name });
}

function field(label: string): HTMLElement {
  return screen.getByLabelText(label);
}

function heading(): HTMLElement {
  return screen.getByRole("heading", { level: 1 });
}

function notices(): HTMLElement {
  return screen.getByRole("status", { name: "Notices" });
}

async function fill(shown: Shown, values: Record<string, string>): Promise<void> {
  for (const [label, value] of Object.entries(values)) {
    await shown.user.clear(field(label));
    await shown.user.click(field(label));
    await shown.user.paste(value);
  }
}

async function press(shown: Shown, name: string): Promise<void> {
  await shown.user.click(within(screen.getByRole("main")).getByRole("button", { name }));
  await settle();
}

const PASSWORD = "today-is-a-good-day";

async function signInByForm(shown: Shown): Promise<void> {
  server.on("post", "/api/auth/signin", ok(signedIn()));
  await fill(shown, { "Email or handle": " worf ", Password: PASSWORD });
  await press(shown, "Sign in");
}

describe("the first empty field has the focus", () => {
  test.each([
    ["/signin", "Email or handle"],
    ["/signup", "Name"],
    ["/confirm", "Email"],
    ["/forgot", "Email"],
    ["/reset", "Email"],
  ])("%s", (address, label) => {
    showPage(address);
    expect(field(label)).toHaveFocus();
  });

  test("after the email was carried over", async () => {
    const shown = showPage("/signup");
    server.on("post", "/api/auth/signup", ok({ status: "confirmation_sent" }));
    await fill(shown, { Name: "W", Handle: "worf", Email: "worf@example.com", Password: PASSWORD });
    await press(shown, "Join now");
    expect(field("Email")).toHaveValue("worf@example.com");
    expect(screen.getByLabelText(/code/i)).toHaveFocus();
  });
});

describe("a members' page", () => {
  test.each([
    ["/notifications", "Sign in to see your notifications."],
    ["/messages", "Sign in to read your messages."],
    ["/messages/@londo", "Sign in to message @londo."],
    ["/settings", "Sign in to change your profile and account."],
  ])("asks visitors to sign in, with a reason: %s", async (address, why) => {
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    const shown = showPage(address);
    await settle();
    const main = within(screen.getByRole("main"));
    expect(main.getByText(why)).toBeInTheDocument();
    expect(main.getByRole("link", { name: "Join now" })).toHaveAttribute("href", "/signup");
    await shown.user.click(main.getByRole("link", { name: "Sign in" }));
    expect(shown.address()).toBe("/signin");
    expect(heading()).toHaveTextContent(why.slice(0, -1));
  });

  test("is shown after signing in", async () => {
    server.on("get", "/api/message_groups", ok([]));
    const shown = showPage("/messages");
    await shown.user.click(within(screen.getByRole("main")).getByRole("link", { name: "Sign in" }));
    await signInByForm(shown);
    expect(server.sent("post", "/api/auth/signin")[0]?.body).toEqual({
      email: "worf",
      password: PASSWORD,
    });
    expect(shown.address()).toBe("/messages");
    expect(getSession()).toMatchObject({ phase: "in", user: WORF });
    expect(await screen.findByText("No messages yet")).toBeInTheDocument();
  });
});

describe("the links to sign in and to join", () => {
  test.each([
    ["Sign in", "Main"],
    ["Join", "Main"],
    ["Sign in", "Join"],
    ["Join now", "Join"],
  ])("remember the page: %s in %s", async (name, region) => {
    server.on("get", "/api/activities/search", ok([crud()]));
    const shown = showPage("/search?term=x");
    const part =
      region === "Main"
        ? screen.getByRole("navigation", { name: region })
        : screen.getByRole("region", { name: region });
    await shown.user.click(within(part).getByRole("link", { name }));
    if (name !== "Sign in") {
      await shown.user.click(screen.getByRole("link", { name: "Sign in" }));
    }
    await shown.user.click(screen.getByRole("link", { name: "Forgot your password?" }));
    await shown.user.click(screen.getByRole("link", { name: "Sign in" }));
    await signInByForm(shown);
    expect(shown.address()).toBe("/search?term=x");
  });
});

describe("signing in", () => {
  test("leads to the home page by default", async () => {
    const shown = showPage("/signin");
    expect(heading()).toHaveTextContent("Sign in to Cruddur");
    await signInByForm(shown);
    expect(shown.address()).toBe("/");
    expect(screen.getByRole("form", { name: "New crud" })).toBeInTheDocument();
  });

  test("returns to the search, with its term", async () => {
    server.on("get", "/api/activities/search", ok([crud()]));
    const shown = showPage("/search?term=%23crud");
    await shown.user.click(await screen.findByRole("button", { name: "Like, 0 likes" }));
    expect(shown.address()).toBe("/signin");
    expect(heading()).toHaveTextContent("Sign in to like");
    await signInByForm(shown);
    expect(shown.address()).toBe("/search?term=%23crud");
    expect(server.requests.some(({ url }) => url.pathname.endsWith("/like"))).toBe(false);
  });

  test("is skipped for a member", () => {
    signIn();
    expect(showPage("/signin").address()).toBe("/");
  });

  test("with wrong credentials shows one error for both fields", async () => {
    server.on("post", "/api/auth/signin", refuse(401, "credentials_invalid"));
    const shown = showPage("/signin");
    await fill(shown, { "Email or handle": "worf", Password: "wrong" });
    await press(shown, "Sign in");
    expect(form("Sign in")).toHaveTextContent("That password doesn’t match this account.");
    expect(server.sent("post", "/api/auth/refresh")).toHaveLength(0);
    expect(field("Email or handle")).toHaveValue("worf");
    expect(getSession().phase).toBe("out");
  });

  test("asks for the code of a second factor", async () => {
    const path = "/api/auth/signin";
    server.on(
      "post",
      path,
      refuse(403, "code_required"),
      refuse(422, "code_invalid"),
      ok(signedIn()),
    );
    const shown = showPage("/signin");
    expect(screen.queryByLabelText("Code from your app")).not.toBeInTheDocument();
    await fill(shown, { "Email or handle": "worf", Password: PASSWORD });
    await press(shown, "Sign in");
    const code = field("Code from your app");
    expect(code).toHaveFocus();
    expect(code).toHaveAccessibleDescription(/Enter the code from your authenticator app/);
    await fill(shown, { "Code from your app": "123456" });
    await press(shown, "Sign in");
    expect(code).toHaveAccessibleDescription(/code is wrong/);
    await press(shown, "Sign in");
    expect(server.sent("post", path).map(({ body }) => body)).toEqual([
      { email: "worf", password: PASSWORD },
      { email: "worf", password: PASSWORD, code: "123456" },
      { email: "worf", password: PASSWORD, code: "123456" },
    ]);
    expect(shown.address()).toBe("/");
  });

  const SIGN_IN = "/api/auth/signin";
  const CHALLENGES = "/api/auth/passkeys/challenge";
  const used = () => Promise.resolve({ toJSON: () => ASSERTION });

  test("asks for the passkey of an account that has one, or a recovery code", async () => {
    withPasskeys({ get: used });
    server.on("post", CHALLENGES, ok(CHALLENGE));
    server.on(
      "post",
      SIGN_IN,
      refuse(403, "passkey_required"),
      refuse(422, "passkey_invalid"),
      ok(signedIn()),
    );
    const shown = showPage("/signin");
    await settle();
    expect(screen.getByRole("button", { name: "Use a passkey instead" })).toBeVisible();
    await fill(shown, { "Email or handle": "worf", Password: PASSWORD });
    await press(shown, "Sign in");
    expect(field("Recovery code")).toHaveFocus();
    expect(form("Sign in")).toHaveTextContent("Use your passkey, or enter a recovery code.");
    await press(shown, "Use your passkey");
    expect(form("Sign in")).toHaveTextContent("That passkey doesn’t work here.");
    await press(shown, "Use your passkey");
    expect(server.sent("post", CHALLENGES)[0]?.body).toEqual({ purpose: "second_factor" });
    expect(server.sent("post", SIGN_IN)[2]?.body).toEqual({
      email: "worf",
      password: PASSWORD,
      passkey: { attempt: "an-attempt", credential: ASSERTION },
    });
    expect(shown.address()).toBe("/");
  });

  test("asks for either, if the account has an app and a passkey", async () => {
    withPasskeys({ get: used });
    server.on("post", SIGN_IN, refuse(403, ["code_required", "passkey_required"]));
    const shown = showPage("/signin");
    await settle();
    await fill(shown, { "Email or handle": "worf", Password: PASSWORD });
    await press(shown, "Sign in");
    expect(field("Code from your app")).toHaveFocus();
    expect(screen.getByRole("button", { name: "Use your passkey" })).toBeVisible();
    const notes = screen.getAllByRole("alert").map(({ textContent }) => textContent);
    expect(notes.filter(Boolean)).toEqual(["Enter the code from your authenticator app."]);
  });

  test("offers no new account where none are opened", async () => {
    server.on("get", "/api/instance", ok(instance({ sign_up_mode: "closed" })));
    showPage("/signin");
    await settle();
    expect(screen.queryByRole("link", { name: /Join/ })).not.toBeInTheDocument();
  });

  test("with a passkey alone needs no form", async () => {
    let isCancelled = true;
    const get = () =>
      isCancelled ? Promise.reject(new DOMException("no", "NotAllowedError")) : used();
    withPasskeys({ get });
    server.on("post", CHALLENGES, ok(CHALLENGE));
    server.on("post", "/api/auth/signin/passkey", refuse(403, "account_suspended"), ok(signedIn()));
    server.on("get", "/api/auth/suspension", refuse(401, "generic_401"));
    const shown = showPage("/signin");
    await settle();
    await press(shown, "Use a passkey instead");
    expect(form("Sign in")).toHaveTextContent("Your browser didn’t use a passkey. Try again.");
    isCancelled = false;
    await press(shown, "Use a passkey instead");
    expect(form("Sign in")).toHaveTextContent("Your account is suspended.");
    await press(shown, "Use a passkey instead");
    expect(server.sent("post", CHALLENGES)[0]?.body).toEqual({ purpose: "sign_in" });
    expect(shown.address()).toBe("/");
  });

  test("with a passkey is not offered by a browser without them", async () => {
    showPage("/signin");
    await settle();
    expect(screen.queryByRole("button", { name: /passkey/ })).not.toBeInTheDocument();
  });

  test("with an unconfirmed address leads to the confirmation page", async () => {
    server.on("post", "/api/auth/signin", refuse(403, "email_unconfirmed"));
    const shown = showPage("/signin");
    await fill(shown, { "Email or handle": "worf@example.com", Password: PASSWORD });
    await press(shown, "Sign in");
    expect(field("Email or handle")).toHaveAccessibleDescription(/isn’t confirmed yet/);
    await shown.user.click(screen.getByRole("link", { name: "Enter the code" }));
    expect(shown.address()).toBe("/confirm");
    expect(field("Email")).toHaveValue("worf@example.com");
  });
});

describe("joining", () => {
  test("signs in, and returns to the page where it started", async () => {
    server.on("post", "/api/auth/signup", ok({ status: "confirmation_sent" }));
    server.on("post", "/api/auth/confirm", ok({ status: "confirmed", session: signedIn() }));
    server.on("get", "/api/activities/search", ok([crud()]));
    const shown = showPage("/search?term=x");
    await shown.user.click(await screen.findByRole("button", { name: "Like, 0 likes" }));
    await shown.user.click(screen.getByRole("link", { name: "Join now" }));
    await press(shown, "Join now");
    await press(shown, "Confirm");
    expect(getSession()).toMatchObject({ phase: "in", user: WORF });
    expect(notices()).toHaveTextContent("Welcome to Cruddur!");
    expect(shown.address()).toBe("/search?term=x");
    expect(server.sent("post", "/api/auth/signin")).toHaveLength(0);
  });

  test("signs in with the password of the form if the provider needs it", async () => {
    server.on("post", "/api/auth/signup", ok({ status: "confirmation_sent" }));
    server.on("post", "/api/auth/confirm", ok({ status: "confirmed" }));
    server.on("post", "/api/auth/signin", ok(signedIn()));
    const shown = showPage("/signup");
    await fill(shown, { Email: "worf@example.com", Password: PASSWORD });
    await press(shown, "Join now");
    await press(shown, "Confirm");
    expect(server.sent("post", "/api/auth/signin")[0]?.body).toEqual({
      email: "worf@example.com",
      password: PASSWORD,
    });
    expect(getSession().phase).toBe("in");
    expect(shown.address()).toBe("/");
  });

  test("says that codes are printed in the terminal", async () => {
    server.on("get", "/api/auth/code-delivery", ok({ channel: "terminal" }));
    server.on("post", "/api/auth/resend", ok({ status: "confirmation_sent" }));
    const shown = showPage("/confirm");
    const hint = /printed in the terminal that runs Cruddur/;
    expect(await screen.findByText(hint)).toBeInTheDocument();
    await press(shown, "Send a new code");
    expect(notices()).toHaveTextContent("New code printed");
    shown.unmount();
    showPage("/reset");
    expect(await screen.findByText(hint)).toBeInTheDocument();
  });

  test("leads from the form to the code, and to signing in if there is no session", async () => {
    server.on("post", "/api/auth/signin", refuse(401, "credentials_invalid"));
    server.on("post", "/api/auth/signup", ok({ status: "confirmation_sent" }));
    server.on(
      "post",
      "/api/auth/confirm",
      refuse(422, "code_invalid"),
      ok({ status: "confirmed" }),
    );
    const shown = showPage("/signup");
    await fill(shown, {
      Name: "Worf",
      Handle: " @Worf",
      Email: " worf@example.com ",
      Password: PASSWORD,
    });
    await press(shown, "Join now");
    expect(server.sent("post", "/api/auth/signup")[0]?.body).toEqual({
      display_name: "Worf",
      handle: "worf",
      email: "worf@example.com",
      password: PASSWORD,
    });
    expect(shown.address()).toBe("/confirm");
    await fill(shown, { Code: "123 456" });
    await press(shown, "Confirm");
    expect(field("Code")).toHaveAccessibleDescription(/That code is wrong/);
    await press(shown, "Confirm");
    expect(server.sent("post", "/api/auth/confirm")[1]?.body).toEqual({
      email: "worf@example.com",
      code: "123456",
    });
    expect(shown.address()).toBe("/signin");
    expect(notices()).toHaveTextContent("Your account is ready.");
    expect(field("Email or handle")).toHaveValue("worf@example.com");
  });

  test("repeats the idempotency key only for the same values", async () => {
    server.on("post", "/api/auth/signup", refuse(503, "unavailable"));
    const shown = showPage("/signup");
    await fill(shown, { Name: "Worf" });
    await press(shown, "Join now");
    await press(shown, "Join now");
    await fill(shown, { Name: "Martok" });
    await press(shown, "Join now");
    const keys = server
      .sent("post", "/api/auth/signup")
      .map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys[0]).toMatch(/./);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  test("can request another code", async () => {
    const answer = server.hold("post", "/api/auth/resend");
    const shown = showPage("/confirm");
    await fill(shown, { Email: "worf@example.com " });
    await press(shown, "Send a new code");
    expect(screen.getByRole("button", { name: "Send a new code" })).toHaveAttribute(
      "aria-disabled",
      "true",
    );
    expect(server.sent("post", "/api/auth/resend")[0]?.body).toEqual({ email: "worf@example.com" });
    answer.release(refuse(429, "rate_limited", { "Retry-After": "600" }));
    await settle();
    expect(form("Confirm")).toHaveTextContent("Try again in 10 minutes.");
    await press(shown, "Send a new code");
    answer.release(ok({ status: "confirmation_sent" }));
    await settle();
    expect(notices()).toHaveTextContent("A new code is on its way");
    expect(server.sent("post", "/api/auth/confirm")).toHaveLength(0);
  });
});

test("a forgotten password is replaced with a code", async () => {
  server.on("post", "/api/auth/forgot", ok({ status: "code_sent" }));
  server.on("post", "/api/auth/reset", ok({ status: "password_changed" }));
  const shown = showPage("/signin");
  await shown.user.click(screen.getByRole("link", { name: "Forgot your password?" }));
  await fill(shown, { Email: "worf@example.com" });
  await press(shown, "Get a code");
  expect(shown.address()).toBe("/reset");
  expect(field("Email")).toHaveValue("worf@example.com");
  await fill(shown, { Code: " 123456 ", "New password": "perhaps-today-is-a-good-day" });
  await press(shown, "Change password");
  expect(server.sent("post", "/api/auth/reset")[0]?.body).toEqual({
    email: "worf@example.com",
    code: "123456",
    password: "perhaps-today-is-a-good-day",
  });
  expect(shown.address()).toBe("/signin");
  expect(notices()).toHaveTextContent("Password changed.");
});

describe("a profile", () => {
  test("of another user offers to message them, after a sign-in if needed", async () => {
    server.on("get", "/api/activities/@{handle}", ok({ profile: profile(), activities: [] }));
    server.on("get", "/api/users/@{handle}/short", ok(LONDO));
    server.on("get", "/api/messages/@{handle}", ok([]));
    const shown = showPage("/@londo");
    await shown.user.click(await screen.findByRole("button", { name: "Message" }));
    expect(shown.address()).toBe("/signin");
    expect(heading()).toHaveTextContent("Sign in to message @londo");
    await signInByForm(shown);
    expect(shown.address()).toBe("/@londo");
    await shown.user.click(await screen.findByRole("button", { name: "Message" }));
    expect(shown.address()).toBe("/messages/@londo");
  });

  test("of the member offers to edit it", async () => {
    signIn();
    const own = profile({ ...WORF, bio: "Son of Mogh, see @gowron", cruds_count: 2 });
    server.on("get", "/api/activities/@{handle}", ok({ profile: own, activities: [] }));
    showPage("/@worf");
    const region = within(await screen.findByRole("region", { name: "Profile" }));
    expect(region.getByRole("link", { name: "Edit profile" })).toHaveAttribute("href", "/settings");
    expect(region.queryByRole("button", { name: "Message" })).not.toBeInTheDocument();
    expect(region.getByRole("link", { name: "@gowron" })).toHaveAttribute("href", "/@gowron");
    expect(region.getByText("live cruds", { exact: false })).toHaveTextContent("2 live cruds");
    expect(document.title).toBe("Worf (@worf) · Cruddur");
    expect(screen.getByRole("heading", { name: "You have no live cruds" })).toBeInTheDocument();
    expect(region.getByRole("link", { name: "Atom feed" })).toHaveAttribute(
      "href",
      "/@worf/feed.atom",
    );
  });

  test("of an unknown handle says so", async () => {
    server.on("get", "/api/activities/@{handle}", refuse(404, "not_found"));
    showPage("/@nobody");
    expect(await screen.findByText("User not found")).toBeInTheDocument();
    expect(heading()).toHaveTextContent("@nobody");
    expect(server.sent("get", "/api/activities/@{handle}")).toHaveLength(1);
  });
});

describe("an unknown address", () => {
  test.each(["/nowhere", "/@", "/worf", "/worf/status/1", "/messages/worf", "/@worf/likes"])(
    "shows Not found: %s",
    async (address) => {
      const shown = showPage(address);
      await settle();
      expect(heading()).toHaveTextContent("Not found");
      expect(document.title).toBe("Not found · Cruddur");
      await shown.user.click(screen.getByRole("link", { name: "Go home" }));
      expect(shown.address()).toBe("/");
    },
  );
});
