import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { getSession } from "../../src/api/session";
import { recordDownloads } from "../support/downloads";
import {
  apiToken,
  device,
  passkey,
  profile,
  secondFactor,
  signIn,
  uuid,
  WORF,
} from "../support/make";
import { type Shown, showPage } from "../support/page";
import { ASSERTION, CHALLENGE, CREATION, withPasskeys } from "../support/passkeys";
import { file, ok, refuse, type Server, servePage } from "../support/server";
import { at, DAY, HOUR, settle } from "../support/time";

const SESSIONS = "/api/auth/sessions";
const TOKENS = "/api/auth/tokens";
const SECOND_FACTOR = "/api/auth/second-factor";
const EXPORT = "/api/auth/export";
const AUDIT = "/api/auth/audit.jsonl";

let server: Server;

beforeEach(() => {
  server = servePage();
  signIn();
  server.on("get", SESSIONS, ok([device({ current: true })]));
  server.on("get", TOKENS, ok([]));
  server.on("get", SECOND_FACTOR, ok(secondFactor()));
  server.on("get", "/api/activities/@{handle}", own("Worf", "Son of Mogh"));
});

function own(display_name: string, bio: string) {
  return ok({ profile: profile({ ...WORF, display_name, bio }), activities: [] });
}

async function showSettings(): Promise<Shown> {
  const shown = showPage("/settings");
  await settle();
  return shown;
}

function part(name: string) {
  return within(screen.getByRole("region", { name }));
}

function notices(): HTMLElement {
  return screen.getByRole("status", { name: "Notices" });
}

describe("the address", () => {
  const EMAIL = "/api/auth/email";
  const address = { email: "worf@example.com", pending: null, can_change: true };

  test("is changed with the password, a code of the app, and one from the new address", async () => {
    server.on("get", EMAIL, ok(address), ok({ ...address, pending: "new@example.com" }));
    server.on("post", EMAIL, refuse(403, "code_required"), ok({ status: "code_sent" }));
    server.on(
      "put",
      EMAIL,
      refuse(422, "code_invalid"),
      ok({ ...address, email: "new@example.com" }),
    );
    const { user } = await showSettings();
    const section = part("Email address");
    await user.type(section.getByLabelText("New email address"), "new@example.com");
    await user.type(section.getByLabelText("Your password"), "today is a good day");
    await user.click(section.getByRole("button", { name: "Send code" }));
    await settle();
    await user.type(section.getByLabelText(/code/i), "123456");
    await user.click(section.getByRole("button", { name: "Send code" }));
    await settle();
    const draft = { email: "new@example.com", password: "today is a good day" };
    expect(server.sent("post", EMAIL).map(({ body }) => body)).toEqual([
      draft,
      { ...draft, code: "123456" },
    ]);
    await user.type(section.getByLabelText("Code from the message"), "654321");
    await user.click(section.getByRole("button", { name: "Change address" }));
    await settle();
    expect(section.getByLabelText("Code from the message")).toBeInvalid();
    await user.click(section.getByRole("button", { name: "Change address" }));
    await settle();
    expect(notices()).toHaveTextContent("Your email address is changed");
    expect(section.getByText("new@example.com")).toBeInTheDocument();
  });

  test("of another provider is not changed here", async () => {
    await showSettings();
    expect(part("Email address").getByText(/belongs to your sign-in provider/)).toBeVisible();
    expect(part("Email address").queryByRole("textbox")).toBeNull();
  });

  test("is changed with the password and a passkey", async () => {
    withPasskeys({ get: () => Promise.resolve({ toJSON: () => ASSERTION }) });
    server.on("get", EMAIL, ok(address));
    server.on("post", EMAIL, refuse(403, "passkey_required"), ok({ status: "code_sent" }));
    server.on("post", "/api/auth/passkeys/challenge", ok(CHALLENGE));
    const { user } = await showSettings();
    const section = part("Email address");
    await user.type(section.getByLabelText("New email address"), "new@example.com");
    await user.type(section.getByLabelText("Your password"), "today is a good day");
    await user.click(section.getByRole("button", { name: "Send code" }));
    await settle();
    expect(section.getByLabelText("Recovery code")).toHaveFocus();
    await user.click(section.getByRole("button", { name: "Use your passkey" }));
    await settle();
    expect(server.sent("post", EMAIL)[1]?.body).toEqual({
      email: "new@example.com",
      password: "today is a good day",
      passkey: { attempt: CHALLENGE.attempt, credential: ASSERTION },
    });
  });

  test("that someone else changes is stopped with the code for the old one", async () => {
    server.on(
      "post",
      "/api/auth/email/stop",
      refuse(422, "code_invalid"),
      ok({ status: "email_change_stopped" }),
    );
    const { user } = showPage("/forgot");
    await user.click(await screen.findByRole("button", { name: "Stop a change of address" }));
    const dialog = within(screen.getByRole("dialog", { name: "Stop a change of address" }));
    await user.type(dialog.getByLabelText("Code from the message"), " the-code ");
    await user.click(dialog.getByRole("button", { name: "Stop the change" }));
    await settle();
    expect(dialog.getByLabelText("Code from the message")).toBeInvalid();
    await user.click(dialog.getByRole("button", { name: "Stop the change" }));
    await settle();
    expect(notices()).toHaveTextContent("The change is stopped. Now reset your password.");
    expect(server.sent("post", "/api/auth/email/stop")[1]?.body).toEqual({ code: "the-code" });
  });
});

describe("own data", () => {
  test("is saved as a file, and a limit is a notice", async () => {
    const saved = recordDownloads();
    server.on("get", EXPORT, file("PK", "application/zip"), refuse(429, "rate_limited"));
    server.on("get", AUDIT, file("{}\n", "application/jsonl"));
    const { user } = await showSettings();
    await user.click(part("Your data").getByRole("button", { name: "Download your data" }));
    await settle();
    await user.click(part("Your data").getByRole("button", { name: "Download the log about you" }));
    await settle();
    expect(saved).toEqual(["cruddur-worf-archive.zip", "cruddur-worf-audit.jsonl"]);
    await user.click(part("Your data").getByRole("button", { name: "Download your data" }));
    await settle();
    expect(notices()).toHaveTextContent("Too many");
    expect(saved).toHaveLength(2);
  });
});

describe("the picture", () => {
  const KEY = "/api/avatars/key_upload";
  const UPLOAD = "/api/avatars/uploads/{token}";

  function picture(type: string, bytes = 3): File {
    const file = new File(["abc"], "me", { type });
    Object.defineProperty(file, "size", { value: bytes });
    return file;
  }

  async function choose(file: File): Promise<void> {
    fireEvent.change(part("Picture").getByLabelText("Choose a picture"), {
      target: { files: [file] },
    });
    await settle();
  }

  function dialog(name = "Crop your picture") {
    return within(screen.getByRole("dialog", { name }));
  }

  async function press(name: string, from = dialog()): Promise<void> {
    fireEvent.click(from.getByRole("button", { name }));
    await settle();
  }

  /** Let the browser decode pictures, as happy-dom does not. */
  function decodeAs(width: number, height: number): { close: ReturnType<typeof vi.fn> } {
    const bitmap = { width, height, close: vi.fn() };
    vi.stubGlobal("createImageBitmap", () => Promise.resolve(bitmap));
    return bitmap;
  }

  test.each([
    ["of another type", picture("image/svg+xml"), "Choose a JPEG, PNG, GIF or WebP"],
    ["of no type", picture(""), "Choose a JPEG, PNG, GIF or WebP"],
    ["that is not a picture", picture("application/pdf"), "Choose a JPEG, PNG, GIF or WebP"],
    ["that is too large", picture("image/png", 8 * 1024 * 1024 + 1), "up to 8 MB"],
  ])("%s is rejected before the upload", async (_, file, words) => {
    await showSettings();
    const before = server.requests.length;
    await choose(file);
    expect(part("Picture").getByRole("alert")).toHaveTextContent(words);
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(server.requests).toHaveLength(before);
  });

  test.each(["image/jpeg", "image/png", "image/gif", "image/webp"])(
    "of type %s is sent to the URL from the server, and shown everywhere",
    async (type) => {
      server.on("post", KEY, ok({ url: "/api/avatars/uploads/signed.token-1" }));
      server.on("put", UPLOAD, ok({ avatar_url: "/api/avatars/1.webp" }));
      const bitmap = decodeAs(400, 200);
      await showSettings();
      const file = picture(type, 8 * 1024 * 1024);
      await choose(file);
      expect(server.sent("post", KEY)).toHaveLength(0);
      await press("Save picture");
      expect(server.sent("post", KEY)[0]?.body).toEqual({ extension: type.slice(6) });
      const [sent] = server.sent("put", UPLOAD);
      expect(sent?.url.pathname).toBe("/api/avatars/uploads/signed.token-1");
      expect(sent?.url.search).toBe("?square=0.25%2C0%2C1");
      expect(sent?.headers.get("Content-Type")).toBe(type);
      expect(sent?.body).toBe(file);
      expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
      expect(bitmap.close).toHaveBeenCalledOnce();
      expect(notices()).toHaveTextContent("Picture updated");
      expect(getSession()).toMatchObject({ user: { avatar_url: "/api/avatars/1.webp" } });
      expect(document.querySelector(".nav-me img")).toHaveAttribute("src", "/api/avatars/1.webp");
    },
  );

  test("is cropped with the keyboard", async () => {
    server.on("post", KEY, ok({ url: "/api/avatars/uploads/token" }));
    server.on("put", UPLOAD, ok({ avatar_url: "/api/avatars/1.webp" }));
    decodeAs(400, 200);
    const { user } = await showSettings();
    await choose(picture("image/png"));
    const area = dialog().getByRole("application", { name: "Part of the picture to show" });
    expect(area).toHaveFocus();
    expect(area).toHaveAccessibleDescription(/arrow keys/);
    const size = dialog().getByRole("slider", { name: "Size" });
    expect(size).toHaveValue("100");
    await user.keyboard("{-}{-}");
    expect(size).toHaveAttribute("aria-valuetext", "90%");
    await user.keyboard("{+}{ArrowLeft}{Shift>}{ArrowLeft}{/Shift}{ArrowDown}");
    expect(size).toHaveValue("95");
    expect(area.style.width).toBe("47.5%");
    await press("Save picture");
    // 0.2625 - (0.02 + 0.1) / 2 of the width; the top is at its end.
    expect(server.sent("put", UPLOAD)[0]?.url.search).toBe("?square=0.2025%2C0.045%2C0.95");
  });

  test("is cropped with the slider", async () => {
    decodeAs(200, 400);
    await showSettings();
    await choose(picture("image/png"));
    fireEvent.change(dialog().getByRole("slider", { name: "Size" }), { target: { value: "40" } });
    const area = dialog().getByRole("application");
    expect([area.style.left, area.style.top, area.style.width]).toEqual(["30%", "40%", "40%"]);
  });

  test("that only the server can decode is cropped in the middle", async () => {
    server.on("post", KEY, ok({ url: "/api/avatars/uploads/token" }));
    server.on("put", UPLOAD, ok({ avatar_url: "/api/avatars/1.webp" }));
    vi.stubGlobal("createImageBitmap", () => Promise.reject(new Error("unknown")));
    await showSettings();
    await choose(picture("image/png"));
    expect(dialog().getByText(/browser can’t show this picture/)).toBeVisible();
    await press("Save picture");
    expect(server.sent("put", UPLOAD)[0]?.url.search).toBe("");
  });

  test("is not sent if the member cancels", async () => {
    const bitmap = decodeAs(10, 10);
    await showSettings();
    await choose(picture("image/png"));
    await press("Cancel");
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(bitmap.close).toHaveBeenCalledOnce();
    expect(server.sent("post", KEY)).toHaveLength(0);
  });

  test("that the server cannot read shows an error, and can be replaced", async () => {
    server.on("post", KEY, ok({ url: "/api/avatars/uploads/token" }));
    const answer = server.hold("put", UPLOAD);
    decodeAs(10, 10);
    await showSettings();
    await choose(picture("image/png"));
    await press("Save picture");
    expect(dialog().getByRole("button", { name: "Uploading…" })).toHaveAttribute(
      "aria-busy",
      "true",
    );
    answer.release(refuse(422, "avatar_invalid"));
    await settle();
    expect(dialog().getByRole("alert")).toHaveTextContent("We couldn’t read that picture");
    await press("Cancel");
    server.on("put", UPLOAD, ok({ avatar_url: "/api/avatars/1.webp" }));
    await choose(picture("image/png"));
    expect(dialog().queryByRole("alert")).not.toBeInTheDocument();
    await press("Save picture");
    expect(notices()).toHaveTextContent("Picture updated");
  });

  test("can be replaced after a file of another type", async () => {
    await showSettings();
    await choose(picture("text/plain"));
    await choose(picture("image/png"));
    expect(part("Picture").queryByRole("alert")).not.toBeInTheDocument();
  });

  test("is removed after a confirmation", async () => {
    signIn({ ...WORF, avatar_url: "/api/avatars/1.webp" });
    server.on("delete", "/api/avatars/me", ok({ avatar_url: null }));
    await showSettings();
    await press("Remove picture…", part("Picture"));
    const confirmation = dialog("Remove your picture?");
    await press("Cancel", confirmation);
    expect(server.sent("delete", "/api/avatars/me")).toHaveLength(0);
    await press("Remove picture…", part("Picture"));
    await press("Remove picture", dialog("Remove your picture?"));
    expect(server.sent("delete", "/api/avatars/me")).toHaveLength(1);
    expect(notices()).toHaveTextContent("Picture removed");
    expect(document.querySelector(".nav-me img")).toBeNull();
    expect(part("Picture").queryByRole("button", { name: "Remove picture…" })).toBeNull();
  });

  test("stays if the removal fails", async () => {
    signIn({ ...WORF, avatar_url: "/api/avatars/1.webp" });
    server.on("delete", "/api/avatars/me", refuse(503, "unavailable"));
    await showSettings();
    await press("Remove picture…", part("Picture"));
    await press("Remove picture", dialog("Remove your picture?"));
    expect(dialog("Remove your picture?").getByRole("alert")).toBeVisible();
    expect(document.querySelector(".nav-me img")).not.toBeNull();
  });
});

describe("the profile", () => {
  const UPDATE = "/api/profile/update";

  test("shows the current values, and saves changes", async () => {
    const updated = { ...profile({ ...WORF, display_name: "Commander Worf", bio: "" }) };
    server.on("put", UPDATE, ok(updated));
    const { user } = await showSettings();
    const name = part("Profile").getByLabelText("Name");
    const bio = part("Profile").getByLabelText("Bio");
    expect(name).toHaveValue("Worf");
    expect(bio).toHaveValue("Son of Mogh");
    await user.clear(bio);
    await user.clear(name);
    await user.type(name, "Commander Worf");
    await user.click(part("Profile").getByRole("button", { name: "Save profile" }));
    expect(server.sent("put", UPDATE)[0]?.body).toEqual({
      display_name: "Commander Worf",
      bio: "",
    });
    await waitFor(() => expect(notices()).toHaveTextContent("Profile saved"));
    expect(getSession()).toMatchObject({ user: { display_name: "Commander Worf" } });
    expect(screen.getByRole("navigation")).toHaveTextContent("Commander Worf");
  });

  test("shows errors and lengths next to the field", async () => {
    server.on("put", UPDATE, refuse(422, "display_name_exceed_max_chars"));
    const { user } = await showSettings();
    const name = part("Profile").getByLabelText("Name");
    fireEvent.change(name, { target: { value: "😀".repeat(51) } });
    expect(name).toHaveAccessibleDescription(/^1 .* too many/);
    await user.click(part("Profile").getByRole("button", { name: "Save profile" }));
    await settle();
    expect(name).toHaveAccessibleDescription(/up to 50 characters/);
    expect(name).toHaveFocus();
    expect(name).toHaveValue("😀".repeat(51));
  });

  test("that fails to load shows an error", async () => {
    server.on("get", "/api/activities/@{handle}", refuse(422, "shape_invalid"), own("Worf", "Bio"));
    const { user } = await showSettings();
    await user.click(part("Profile").getByRole("button", { name: "Try again" }));
    await settle();
    expect(part("Profile").getByLabelText("Bio")).toHaveValue("Bio");
  });
});

describe("the password", () => {
  const CHANGE = "/api/auth/password";

  async function change(shown: Shown): Promise<void> {
    await shown.user.type(part("Password").getByLabelText("Current password"), "old-password");
    await shown.user.type(part("Password").getByLabelText("New password"), "new-password");
    await shown.user.click(part("Password").getByRole("button", { name: "Change password" }));
    await settle();
  }

  test("is changed, and cleared from the form", async () => {
    server.on("put", CHANGE, ok({ status: "password_changed" }));
    const shown = await showSettings();
    server.on("get", SESSIONS, ok([device({ current: true })]));
    await change(shown);
    expect(server.sent("put", CHANGE)[0]?.body).toEqual({
      current_password: "old-password",
      password: "new-password",
    });
    expect(notices()).toHaveTextContent("Password changed.");
    expect(part("Password").getByLabelText("Current password")).toHaveValue("");
    expect(part("Password").getByLabelText("New password")).toHaveValue("");
    expect(server.sent("get", SESSIONS)).toHaveLength(2);
  });

  test("that is wrong does not end the session", async () => {
    server.on("put", CHANGE, refuse(401, "credentials_invalid"));
    const shown = await showSettings();
    await change(shown);
    expect(part("Password").getByRole("form")).toHaveTextContent("That password doesn’t match");
    expect(getSession().phase).toBe("in");
  });
});

describe("the devices", () => {
  const phone = device({
    uuid: uuid(601),
    device: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Safari/604.1",
    address: "2001:db8::7",
    method: "sign_up",
    used_at: at(-HOUR),
    created_at: at(-2 * DAY),
  });

  function rows(): HTMLElement[] {
    return part("Devices").getAllByRole("listitem");
  }

  test("are listed by browser, system, address and time", async () => {
    server.on("get", SESSIONS, ok([device({ current: true }), phone]));
    await showSettings();
    expect(rows()[0]).toHaveTextContent("Firefox on Linux This device");
    expect(rows()[0]).toHaveTextContent("Active now · signed in 3 days ago with your password");
    expect(rows()[1]).toHaveTextContent("Safari on iPhone");
    expect(rows()[1]).toHaveTextContent(
      "Active 1 h ago · signed in 2 days ago by joining · 2001:db8::7",
    );
    expect(within(rows()[0] as HTMLElement).queryByRole("button")).not.toBeInTheDocument();
  });

  test("are signed out one by one", async () => {
    server.on("get", SESSIONS, ok([device({ current: true }), phone]));
    const path = "/api/auth/sessions/{uuid}";
    server.on("delete", path, refuse(404, "not_found"), ok([device({ current: true })]));
    const { user } = await showSettings();
    const out = () => part("Devices").getByRole("button", { name: "Sign out Safari on iPhone" });
    await user.click(out());
    await settle();
    expect(rows()[1]).toHaveTextContent("This has expired or never existed.");
    await user.click(out());
    await settle();
    expect(rows()).toHaveLength(1);
    expect(notices()).toHaveTextContent("Signed out Safari on iPhone");
    expect(server.sent("delete", path)[1]?.url.pathname).toBe(`${SESSIONS}/${uuid(601)}`);
  });
});

describe("other devices", () => {
  test("are signed out in one press", async () => {
    const others = [device({ uuid: uuid(601) }), device({ uuid: uuid(602) })];
    const own = device({ current: true });
    server.on("get", SESSIONS, ok([...others, own]));
    server.on("delete", SESSIONS, refuse(503, "unavailable"), ok([own]));
    const { user } = await showSettings();
    const rows = () => part("Devices").getAllByRole("listitem");
    expect(rows().map((row) => row.textContent?.includes("This device"))).toEqual([
      true,
      false,
      false,
    ]);
    const out = () => part("Devices").getByRole("button", { name: "Sign out all other devices" });
    await user.click(out());
    await settle();
    expect(notices()).toHaveTextContent("isn’t available right now");
    await user.click(out());
    await settle();
    expect(rows()).toHaveLength(1);
    expect(notices()).toHaveTextContent("Signed out 2 devices");
    expect(part("Devices").queryByRole("button")).not.toBeInTheDocument();
  });
});

describe("the second factor", () => {
  const title = "Two\u2011factor sign-in";
  const press = (shown: Shown, name: string) =>
    shown.user.click(screen.getByRole("button", { name }));

  test("is set up with a QR code, a first code and recovery codes", async () => {
    await import("../../src/text/qrCode"); // the test's clock does not wait for a script
    const uri = "otpauth://totp/Cruddur:worf?secret=ABCD";
    server.on(
      "post",
      SECOND_FACTOR,
      refuse(401, "credentials_invalid"),
      ok({ secret: "ABCD", uri }),
    );
    const codes = ["aaaa-bbbb-cccc-dddd", "eeee-ffff-gggg-hhhh"];
    server.on("put", SECOND_FACTOR, refuse(422, "code_invalid"), ok({ recovery_codes: codes }));
    const shown = await showSettings();
    await press(shown, "Set up two\u2011factor…");
    const dialog = () => within(screen.getByRole("dialog"));
    await shown.user.type(dialog().getByLabelText("Your password"), "a password");
    await press(shown, "Next");
    await settle();
    expect(dialog().getByRole("form")).toHaveTextContent("That password doesn’t match");
    await press(shown, "Next");
    await settle();
    expect(server.sent("post", SECOND_FACTOR)[1]?.body).toEqual({ password: "a password" });
    expect(dialog().getByLabelText("Key")).toHaveTextContent("ABCD");
    const qr = dialog().getByRole("img", { name: "QR code for your authenticator app" });
    await waitFor(() => expect(qr.querySelector("path")).toHaveAttribute("d"));
    const code = dialog().getByLabelText("Code from your app");
    expect(code).toHaveFocus();
    await shown.user.type(code, " 123 456 ");
    await press(shown, "Turn on");
    await settle();
    expect(code).toHaveAccessibleDescription(/code is wrong/);
    await press(shown, "Turn on");
    await settle();
    expect(server.sent("put", SECOND_FACTOR)[1]?.body).toEqual({ code: "123 456" });
    expect(dialog().getByLabelText("Recovery codes").textContent).toBe(codes.join("\n"));
    await press(shown, "Done");
    expect(part(title).getByText(/You have 2 recovery codes left/)).toBeInTheDocument();
    expect(screen.queryByText(/aaaa-bbbb/)).not.toBeInTheDocument();
  });

  test("is turned off with the password", async () => {
    server.on("get", SECOND_FACTOR, ok(secondFactor({ status: "on", recovery_codes_left: 1 })));
    server.on("delete", SECOND_FACTOR, ok(secondFactor()));
    const shown = await showSettings();
    expect(part(title).getByText(/You have 1 recovery code left/)).toBeInTheDocument();
    await press(shown, "Turn off…");
    await shown.user.type(screen.getByLabelText("Your password"), "a password");
    await press(shown, "Turn off");
    await settle();
    expect(server.sent("delete", SECOND_FACTOR)[0]?.body).toEqual({ password: "a password" });
    expect(notices()).toHaveTextContent("Two\u2011factor sign-in is off");
    expect(
      part(title).getByRole("button", { name: "Set up two\u2011factor…" }),
    ).toBeInTheDocument();
  });

  test("is not offered where the provider has its own", async () => {
    server.on("get", SECOND_FACTOR, ok(secondFactor({ status: "unavailable" })));
    await showSettings();
    expect(screen.queryByRole("region", { name: title })).not.toBeInTheDocument();
  });
});

describe("passkeys", () => {
  const title = "Passkeys";
  const PASSKEYS = "/api/auth/passkeys";
  const one = "/api/auth/passkeys/{uuid}";

  async function showPasskeys(): Promise<Shown> {
    const shown = await showSettings();
    await settle(); // the list is requested once the service is known to have passkeys
    return shown;
  }

  async function press(shown: Shown, name: string): Promise<void> {
    await shown.user.click(screen.getByRole("button", { name }));
    await settle();
  }

  /** Answer a dialog with the password. */
  async function enterPassword(shown: Shown): Promise<void> {
    await shown.user.type(screen.getByLabelText("Your password"), "a password");
    await shown.user.keyboard("{Enter}");
    await settle();
  }

  test("are listed with their last use, renamed and removed", async () => {
    const key = passkey({ uuid: uuid(751), name: "Key", used_at: at(-HOUR) });
    server.on("get", PASSKEYS, ok([passkey(), key]));
    server.on("put", one, refuse(422, "passkey_name_blank"), ok({ ...key, name: "Blue key" }));
    server.on("delete", one, refuse(401, "credentials_invalid"), ok([passkey()]), ok([]));
    const shown = await showPasskeys();
    const rows = () => part(title).queryAllByRole("listitem");
    expect(rows()[0]).toHaveTextContent("Phone");
    expect(rows()[0]).toHaveTextContent("added 1 day ago · never used");
    expect(rows()[1]).toHaveTextContent("last used 1 h ago");

    await press(shown, "Rename Key");
    const name = screen.getByLabelText("Name of the passkey");
    expect(name).toHaveValue("Key");
    await shown.user.clear(name);
    await shown.user.keyboard("{Enter}");
    await settle();
    expect(name).toHaveAccessibleDescription(/Enter a name for the passkey/);
    await shown.user.type(name, "Blue key{Enter}");
    await settle();
    expect(server.sent("put", one)[1]?.body).toEqual({ name: "Blue key" });
    expect(rows()[1]).toHaveTextContent("Blue key");

    server.on("get", SECOND_FACTOR, ok(secondFactor({ recovery_codes_left: 1 })));
    await press(shown, "Remove Blue key");
    expect(screen.getByRole("dialog")).toHaveTextContent("can’t sign in with this passkey");
    await enterPassword(shown);
    expect(screen.getByRole("dialog")).toHaveTextContent("That password doesn’t match");
    await shown.user.keyboard("{Enter}");
    await settle();
    expect(notices()).toHaveTextContent("Removed Blue key");
    expect(part(title).getByText(/You have 1 recovery code left/)).toBeInTheDocument();
    await press(shown, "Remove Phone");
    expect(screen.getByRole("dialog")).toHaveTextContent("Your recovery codes stop working");
    await enterPassword(shown);
    expect(rows()).toEqual([]);
  });

  test("cannot be added by a browser without them", async () => {
    await showPasskeys();
    expect(part(title).getByText(/This browser can’t make passkeys/)).toBeInTheDocument();
    expect(part(title).queryByRole("button")).not.toBeInTheDocument();
  });

  test.each([
    ["NotAllowedError", /Your browser didn’t use a passkey/],
    ["SecurityError", /don’t work at this address/],
    ["InvalidStateError", /already has a passkey/],
  ])("a browser that fails with %s is explained in a sentence", async (name, sentence) => {
    withPasskeys({ create: () => Promise.reject(new DOMException("no", name)) });
    server.on("post", "/api/auth/passkeys/registration", ok(CREATION));
    const shown = await showPasskeys();
    await press(shown, "Add a passkey…");
    await enterPassword(shown);
    expect(screen.getByRole("dialog")).toHaveTextContent(sentence);
    expect(server.sent("post", PASSKEYS)).toEqual([]);
  });

  test("are not offered where the service has none", async () => {
    server.on("get", "/api/auth/passkeys/support", ok({ is_available: false }));
    await showSettings();
    expect(screen.queryByRole("region", { name: title })).not.toBeInTheDocument();
  });

  test("share the recovery codes with the app", async () => {
    server.on("get", PASSKEYS, ok([passkey()]));
    server.on("get", SECOND_FACTOR, ok(secondFactor({ status: "on", recovery_codes_left: 8 })));
    const shown = await showPasskeys();
    await press(shown, "Turn off…");
    expect(screen.getByRole("dialog")).toHaveTextContent("needs your password and a passkey");
  });
});

describe("API tokens", () => {
  const path = "/api/auth/tokens/{uuid}";

  function rows(): HTMLElement[] {
    return part("API tokens").queryAllByRole("listitem");
  }

  test("are listed with what they may do, their last use and their end", async () => {
    const used = apiToken({
      uuid: uuid(701),
      name: "Reader",
      scopes: ["read"],
      used_at: at(-HOUR),
    });
    server.on("get", TOKENS, ok([apiToken(), used]));
    await showSettings();
    expect(rows()[0]).toHaveTextContent("Weather bot");
    expect(rows()[0]).toHaveTextContent("Read, Write · never used · expires ");
    expect(rows()[1]).toHaveTextContent("Read · last used 1 h ago · expires ");
  });

  test("are created, and shown once", async () => {
    const created = { ...apiToken({ scopes: ["read", "message"] }), token: "cruddur_0123" };
    server.on("post", TOKENS, refuse(422, ["token_name_blank"]), ok(created));
    const { user } = await showSettings();
    const press = (name: string) => user.click(screen.getByRole("button", { name }));
    await press("Create a token…");
    await press("Create a token");
    await settle();
    const name = screen.getByLabelText("Name of the token");
    expect(name).toHaveAccessibleDescription(/Enter a name for the token/);
    await user.type(name, "Weather bot");
    await user.click(screen.getByLabelText("Read and send messages"));
    await user.selectOptions(screen.getByLabelText("Valid for"), "7 days");
    await press("Create a token");
    await settle();
    expect(server.sent("post", TOKENS)[1]?.body).toEqual({
      name: "Weather bot",
      scopes: ["read", "message"],
      ttl: "7-days",
    });
    const shown = screen.getByRole("dialog", { name: "Your new token" });
    expect(within(shown).getByLabelText("API token")).toHaveTextContent("cruddur_0123");
    const pressed = new KeyboardEvent("keydown", {
      key: "Escape",
      bubbles: true,
      cancelable: true,
    });
    fireEvent(shown, pressed); // would close it, and the token would be lost
    expect(pressed.defaultPrevented).toBe(true);
    fireEvent(shown, new Event("cancel", { cancelable: true }));
    expect(within(shown).getByRole("alert")).toHaveTextContent("then choose “Done”");
    await press("Done");
    expect(screen.queryByText("cruddur_0123")).not.toBeInTheDocument();
    expect(rows()).toHaveLength(1);
    expect(server.sent("get", TOKENS)).toHaveLength(1);
  });

  test("are revoked", async () => {
    server.on("get", TOKENS, ok([apiToken()]));
    const revoked = ok({ uuid: uuid(700), status: "revoked" as const });
    server.on("delete", path, refuse(503, "unavailable"), revoked);
    const { user } = await showSettings();
    const revoke = () => part("API tokens").getByRole("button", { name: "Revoke Weather bot" });
    await user.click(revoke());
    await settle();
    expect(rows()[0]).toHaveTextContent("isn’t available right now");
    await user.click(revoke());
    await settle();
    expect(rows()).toHaveLength(0);
    expect(notices()).toHaveTextContent("Revoked Weather bot");
  });
});

describe("the account", () => {
  test("is signed out at the top of the page, which leads home", async () => {
    server.on("post", "/api/auth/signout", ok({ status: "signed_out" }));
    const { user, address } = await showSettings();
    await user.click(screen.getByRole("button", { name: "Sign out" }));
    await settle();
    expect(getSession()).toEqual({ phase: "out", wasEnded: false });
    expect(address()).toBe("/");
    expect(screen.getByRole("link", { name: "Join" })).toBeInTheDocument();
  });

  test("stays signed in if the server fails", async () => {
    server.on("post", "/api/auth/signout", refuse(503, "unavailable"));
    const { user, address } = await showSettings();
    await user.click(screen.getByRole("button", { name: "Sign out" }));
    await settle();
    expect(notices()).toHaveTextContent("isn’t available right now");
    expect(getSession().phase).toBe("in");
    expect(address()).toBe("/settings");
  });

  test("asks for the password before deleting the account", async () => {
    const path = "/api/auth/me";
    server.on("delete", path, refuse(401, "credentials_invalid"), ok({ status: "deleted" }));
    const { user, address } = await showSettings();
    await user.click(part("Account").getByRole("button", { name: "Delete account…" }));
    const dialog = screen.getByRole("dialog", { name: "Delete your account?" });
    await user.type(within(dialog).getByLabelText("Your password"), "here-today");
    await user.click(within(dialog).getByRole("button", { name: "Delete account" }));
    await settle();
    expect(within(dialog).getByRole("form")).toHaveTextContent("That password doesn’t match");
    expect(getSession().phase).toBe("in");
    await user.click(within(dialog).getByRole("button", { name: "Delete account" }));
    await settle();
    expect(server.sent("delete", path)[1]?.body).toEqual({ password: "here-today" });
    expect(getSession().phase).toBe("out");
    expect(address()).toBe("/");
    expect(notices()).toHaveTextContent("Your account is deleted");
  });

  test("lets the member cancel the deletion", async () => {
    const { user } = await showSettings();
    await user.click(part("Account").getByRole("button", { name: "Delete account…" }));
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
  });
});
