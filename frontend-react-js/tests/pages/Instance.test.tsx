import { fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import type { Announcement, InstanceSettings, Invitation, Member } from "../../src/api/wire";
import { instance, ownCrud, signIn, uuid, WORF } from "../support/make";
import { open, showPage } from "../support/page";
import { ok, refuse, type Server, servePage, unreachable } from "../support/server";
import { Stream } from "../support/stream";
import { at, DAY, HOUR, pass, settle } from "../support/time";

const SISKO: Member = { ...WORF, role: "admin" };

let server: Server;

beforeEach(() => {
  server = servePage();
});

function announcement(number: number, change: Partial<Announcement> = {}): Announcement {
  return {
    uuid: uuid(900 + number),
    message: `The station moves ${number}`,
    created_at: at(-HOUR),
    expires_at: at(HOUR),
    ...change,
  };
}

const settings: InstanceSettings = {
  name: "Cruddur",
  description: "",
  rules: "",
  terms_version: 0,
  sign_up_mode: "open",
  default_ttl: "7-days",
  max_ttl: "30-days",
  blocked_domains: ["spam.example"],
  evidence_days: 14,
};

const invitation: Invitation = {
  uuid: uuid(950),
  code: "abcdefghjkmnpqrs",
  max_uses: 3,
  uses: 1,
  created_at: at(-DAY),
  expires_at: at(DAY),
};

test("an announcement of the moment before the stream began is shown", async () => {
  const stream = new Stream(server);
  stream.answer(unreachable());
  const announced = instance({ announcements: [announcement(1)] });
  server.on("get", "/api/instance", ok(instance()), ok(announced));
  const shown = open("/");
  await settle();
  expect(screen.queryByText(/moves 1/)).toBeNull();
  await pass(5000);
  expect(stream.count).toBe(1);
  expect(screen.getByText(/moves 1/)).toBeVisible();
  shown.unmount();
});

test("visitors see announcements until they dismiss them or until these expire", async () => {
  const stream = new Stream(server);
  const announcements = [announcement(2, { expires_at: at(2 * HOUR) }), announcement(1)];
  server.on("get", "/api/instance", ok(instance({ announcements })));
  const shown = open("/");
  await settle();
  await pass(1000);
  expect(screen.getByText(/moves 1/)).toBeVisible();
  const second = screen.getByText(/moves 2/).closest(".announcement") as HTMLElement;
  await shown.user.click(within(second).getByRole("button", { name: "Dismiss announcement" }));
  expect(screen.queryByText(/moves 2/)).toBeNull();
  await pass(HOUR);
  expect(screen.queryByText(/moves 1/)).toBeNull();
  await stream.send(
    "instance",
    instance({ announcements: [...announcements, announcement(3, { expires_at: at(DAY) })] }),
  );
  expect(screen.getByText(/moves 3/)).toBeVisible();
  expect(screen.queryByText(/moves 2/)).toBeNull();
  shown.unmount();
});

test("a member is asked to accept other terms until they do", async () => {
  signIn({ ...WORF, terms_version: 1, terms_accepted_at: at(-DAY) });
  server.on("get", "/api/instance", ok(instance({ terms_version: 2 })));
  const accepted = { ...WORF, terms_version: 2, terms_accepted_at: at(0) };
  server.on("put", "/api/auth/terms", refuse(503, "unavailable"), ok(accepted));
  const shown = showPage("/");
  await settle();
  await pass(1000);
  const note = screen.getByRole("region", { name: "Terms of service" });
  await shown.user.click(within(note).getByRole("button", { name: "Accept" }));
  await settle();
  expect(note).toBeVisible();
  await shown.user.click(within(note).getByRole("button", { name: "Accept" }));
  await settle();
  expect(note).not.toBeInTheDocument();
  expect(server.sent("put", "/api/auth/terms")[1]?.body).toEqual({ terms_version: 2 });
});

test("the form offers the lifetimes that the instance allows", async () => {
  signIn();
  server.on("get", "/api/instance", ok(instance({ default_ttl: "3-hours", max_ttl: "1-day" })));
  server.on("post", "/api/activities", ok(ownCrud()));
  const shown = showPage("/");
  await settle();
  const select = screen.getByLabelText("Lives for");
  const offered = within(select).getAllByRole("option");
  expect(offered.map((option) => option.textContent)).toEqual([
    "1 day",
    "12 hours",
    "3 hours",
    "1 hour",
  ]);
  expect(select).toHaveValue("3-hours");
  fireEvent.change(screen.getByPlaceholderText("What’s on your mind?"), {
    target: { value: "Qapla’" },
  });
  await shown.user.click(screen.getByRole("button", { name: "Crud it" }));
  await settle();
  expect(server.sent("post", "/api/activities")[0]?.body).toMatchObject({ ttl: "3-hours" });
});

test.each([
  ["7-days", "1-day"],
  ["3-hours", "3-hours"],
])("a remembered lifetime of %s becomes %s", async (remembered, expected) => {
  localStorage.setItem(`cruddur.ttl.${WORF.uuid}`, remembered);
  signIn();
  const limits = { default_ttl: "1-hour", max_ttl: "1-day" } as const;
  server.on("get", "/api/instance", ok(instance(limits)));
  showPage("/");
  await settle();
  expect(screen.getByLabelText("Lives for")).toHaveValue(expected);
});

test("a link with a code opens the form with the code filled in", async () => {
  server.on("get", "/api/instance", ok(instance({ sign_up_mode: "invitation", terms_version: 3 })));
  server.on(
    "post",
    "/api/auth/signup",
    refuse(422, ["terms_not_accepted", "invitation_invalid"]),
    ok({ status: "confirmation_sent" }),
  );
  history.replaceState(null, "", "/signup#invitation=abcd2345");
  const shown = showPage("/signup");
  await settle();
  expect(screen.getByLabelText("Invitation code")).toHaveValue("abcd2345");
  await shown.user.click(screen.getByRole("button", { name: "Join now" }));
  await settle();
  expect(screen.getByText(/isn’t valid anymore/)).toBeVisible();
  expect(screen.getByText(/Accept the terms to continue/)).toBeVisible();
  const terms = screen.getByRole("checkbox", { name: /I accept the terms/ });
  expect(terms).toHaveAttribute("aria-invalid", "true");
  expect(server.sent("post", "/api/auth/signup")[0]?.body).not.toHaveProperty("terms_version");
  await shown.user.click(terms);
  await shown.user.click(screen.getByRole("button", { name: "Join now" }));
  await settle();
  expect(server.sent("post", "/api/auth/signup")[1]?.body).toMatchObject({
    invitation: "abcd2345",
    terms_version: 3,
  });
});

test("a box that was ticked for earlier terms is not sent for other ones", async () => {
  server.on("get", "/api/instance", ok(instance({ terms_version: 3 })));
  server.on(
    "post",
    "/api/auth/signup",
    refuse(422, "terms_not_accepted"),
    ok({ status: "confirmation_sent" }),
  );
  const shown = showPage("/signup");
  await settle();
  const sent = () => server.sent("post", "/api/auth/signup").at(-1)?.body;
  const box = () => screen.getByRole("checkbox", { name: /I accept the terms/ });
  const join = async () => {
    await shown.user.click(screen.getByRole("button", { name: "Join now" }));
    await settle();
  };
  await shown.user.type(screen.getByLabelText("Name"), "Worf");
  await shown.user.click(box());
  server.on("get", "/api/instance", ok(instance({ terms_version: 4 })));
  await join();
  expect(sent()).toMatchObject({ terms_version: 3 });
  expect(box()).not.toBeChecked();
  expect(screen.getByText(/The terms have changed/)).toBeVisible();
  expect(screen.getByLabelText("Name")).toHaveValue("Worf");
  await shown.user.click(box());
  await join();
  expect(sent()).toMatchObject({ terms_version: 4 });
});

test("an announcement has links", async () => {
  const message = "We move to https://example.com/ soon";
  const one = { uuid: uuid(900), message, created_at: at(0), expires_at: at(HOUR) };
  server.on("get", "/api/instance", ok(instance({ announcements: [one] })));
  showPage("/");
  expect(await screen.findByRole("link", { name: /example.com/ })).toBeVisible();
});

test("the form asks for no code when everyone may join, and is away when no one may", async () => {
  server.on("get", "/api/instance", ok(instance()));
  const stream = new Stream(server);
  const shown = open("/signup");
  await settle();
  expect(screen.getByLabelText("Name")).toBeVisible();
  expect(screen.queryByLabelText("Invitation code")).toBeNull();
  await stream.send("instance", instance({ sign_up_mode: "closed" }));
  expect(screen.getByRole("heading", { name: "Sign-up is closed" })).toBeVisible();
  expect(screen.queryByLabelText("Name")).toBeNull();
  shown.unmount();
});

test("About has the name, the description and the rules", async () => {
  const texts = { name: "Deep Space", description: "A station", rules: "No Tribbles.\nNo war." };
  server.on("get", "/api/instance", ok(instance({ ...texts, sign_up_mode: "invitation" })));
  showPage("/about");
  await settle();
  expect(screen.getByRole("heading", { name: "Deep Space" })).toBeVisible();
  expect(screen.getByText("A station")).toBeVisible();
  expect(screen.getByText(/No Tribbles/)).toBeVisible();
  expect(screen.getByText("You need an invitation to join.")).toBeVisible();
});

test("the page is for admins", async () => {
  signIn({ ...WORF, role: "moderator" });
  showPage("/instance");
  await settle();
  expect(screen.getByText("This page is for admins")).toBeVisible();
});

test("an admin changes only what they have changed in the form", async () => {
  signIn(SISKO);
  server.on("get", "/api/instance/settings", ok(settings));
  server.on("get", "/api/instance/invitations", ok([]));
  server.on(
    "put",
    "/api/instance/settings",
    refuse(422, ["default_ttl_too_long", "blocked_domains_invalid"]),
    ok({ ...settings, rules: "No Tribbles.", terms_version: 1 }),
  );
  const shown = showPage("/instance");
  await settle();
  const form = screen.getByRole("form", { name: "Settings" });
  const field = (name: string | RegExp) => within(form).getByLabelText(name);
  fireEvent.change(field("Rules"), { target: { value: "No Tribbles." } });
  fireEvent.change(field("Longest lifetime of cruds"), { target: { value: "1-day" } });
  fireEvent.change(field("Blocked email domains"), {
    target: { value: "spam.example\na.example" },
  });
  await shown.user.click(field(/Ask all members to accept .* \(version 1\)/));
  await shown.user.click(within(form).getByRole("button", { name: "Save" }));
  await settle();
  expect(field("Blocked email domains")).toHaveFocus(); // the first
  expect(field("Blocked email domains")).toHaveAccessibleDescription(/isn’t a domain/);
  expect(field("Default lifetime of cruds")).toHaveAccessibleDescription(
    /can’t be longer than the longest one/,
  );
  expect(server.sent("put", "/api/instance/settings")[0]?.body).toEqual({
    rules: "No Tribbles.",
    max_ttl: "1-day",
    blocked_domains: ["spam.example", "a.example"],
    new_terms: true,
  });
  await shown.user.click(within(form).getByRole("button", { name: "Save" }));
  await settle();
  expect(screen.getByText("The settings are saved.")).toBeVisible();
  expect(field(/\(version 2\)/)).not.toBeChecked();
});

test("an admin announces, deletes, invites and revokes", async () => {
  signIn(SISKO);
  server.on("get", "/api/instance/settings", ok(settings));
  server.on("get", "/api/instance/invitations", ok([]));
  server.on(
    "get",
    "/api/instance",
    ok(instance()),
    ok(instance({ announcements: [announcement(1)] })),
    ok(instance()),
  );
  server.on("post", "/api/instance/announcements", ok(announcement(1)));
  const uuid_ = announcement(1).uuid;
  server.on("delete", "/api/instance/announcements/{uuid}", ok({ uuid: uuid_, status: "deleted" }));
  server.on("post", "/api/instance/invitations", ok(invitation));
  server.on("delete", "/api/instance/invitations/{uuid}", ok([]));
  const shown = showPage("/instance");
  await settle();
  const announce = screen.getByRole("form", { name: "Announce" });
  fireEvent.change(within(announce).getByLabelText("Announcement"), {
    target: { value: "The station moves 1" },
  });
  await shown.user.click(within(announce).getByRole("button", { name: "Announce" }));
  await settle();
  expect(server.sent("post", "/api/instance/announcements")[0]?.body).toEqual({
    message: "The station moves 1",
    ttl: "1-day",
  });
  await shown.user.click(screen.getByRole("button", { name: "Delete" }));
  await settle();
  expect(screen.queryByRole("button", { name: "Delete" })).toBeNull();

  const invite = screen.getByRole("form", { name: "Create invitation" });
  fireEvent.change(within(invite).getByLabelText("Number of accounts"), { target: { value: "3" } });
  await shown.user.click(within(invite).getByRole("button", { name: "Create invitation" }));
  await settle();
  expect(server.sent("post", "/api/instance/invitations")[0]?.body).toEqual({
    max_uses: 3,
    days: 7,
  });
  expect(screen.getByText(`${location.origin}/signup#invitation=${invitation.code}`)).toBeVisible();
  expect(screen.getByText(/1 of 3 used/)).toBeVisible();
  await shown.user.click(screen.getByRole("button", { name: "Revoke" }));
  await settle();
  expect(screen.queryByText(/1 of 3 used/)).toBeNull();
});
