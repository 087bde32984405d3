import { act, fireEvent, screen, within } from "@testing-library/react";
import { useState } from "react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Dialog } from "../../src/components/Dialog";
import { notify } from "../../src/notices";
import { show, showPage } from "../support/page";
import { ok, raw, refuse, type Server, servePage, unreachable } from "../support/server";
import { pass, SECOND, settle } from "../support/time";

let server: Server;

beforeEach(() => {
  server = servePage();
});

describe("a form", () => {
  const SIGNUP = "/api/auth/signup";

  async function join() {
    const shown = showPage("/signup");
    const form = screen.getByRole("form", { name: "Join" });
    const field = (name: string) => within(form).getByLabelText(name);
    await shown.user.click(field("Name"));
    await shown.user.paste("Worf");
    const send = () => shown.user.click(within(form).getByRole("button", { name: "Join now" }));
    return { ...shown, form, field, send };
  }

  test("shows an error next to its field, and focuses the field", async () => {
    server.on("post", SIGNUP, refuse(422, "handle_taken"));
    const { field, form, send } = await join();
    await send();
    await settle();
    const handle = field("Handle");
    expect(handle).toBeInvalid();
    expect(handle).toHaveAccessibleDescription(/That handle is taken/);
    expect(handle).toHaveFocus();
    expect(field("Email")).not.toBeInvalid();
    const alerts = within(form)
      .getAllByRole("alert")
      .filter((alert) => alert.textContent !== "");
    expect(alerts).toHaveLength(1);
    expect(form).not.toHaveTextContent("Trace");
  });

  test("shows all errors, each next to its field or at the top", async () => {
    server.on(
      "post",
      SIGNUP,
      refuse(422, ["bio_invalid", "email_invalid", "password_too_weak", "handle_taken"]),
    );
    const { field, form, send } = await join();
    await send();
    await settle();
    expect(field("Email")).toHaveAccessibleDescription(/doesn’t look like an email address/);
    expect(field("Password")).toHaveAccessibleDescription(/too easy to guess/);
    expect(field("Handle")).toHaveAccessibleDescription(/That handle is taken/);
    expect(field("Name")).toBeValid();
    expect(field("Handle")).toHaveFocus(); // the first in the form
    expect(form.querySelector("form > .problem")?.textContent).toBe(
      "Your bio contains a character we can’t store.",
    );
  });

  test("announces the same error again", async () => {
    server.on("post", SIGNUP, refuse(422, "handle_taken"));
    const { field, send } = await join();
    await send();
    await settle();
    await send();
    await settle();
    expect(field("Handle")).toHaveFocus();
  });

  test("keeps its values, and clears the error after a success", async () => {
    server.on(
      "post",
      SIGNUP,
      refuse(422, "password_too_weak"),
      ok({ status: "confirmation_sent" }),
    );
    const { address, field, send } = await join();
    await send();
    await settle();
    expect(field("Password")).toHaveFocus();
    expect(field("Name")).toHaveValue("Worf");
    await send();
    await settle();
    expect(address()).toBe("/confirm");
  });

  test("shows other errors at the top", async () => {
    server.on(
      "post",
      SIGNUP,
      refuse(422, "bio_invalid"),
      refuse(429, "rate_limited", { "Retry-After": "120" }),
      refuse(429, "rate_limited", { "Retry-After": "86400" }),
    );
    const { field, form, send } = await join();
    await send();
    await settle();
    const top = () => form.querySelector("form > .problem");
    expect(top()).toHaveTextContent("Your bio contains a character we can’t store.");
    await send();
    await settle();
    expect(top()).toHaveTextContent("Too many attempts.");
    expect(top()).toHaveTextContent("Try again in 2 minutes.");
    await send();
    await settle();
    expect(top()).toHaveTextContent("Try again in 24 hours.");
    expect(field("Name")).toBeValid();
  });

  test.each([
    ["a server error", refuse(500, "generic_500"), true],
    ["a gateway's page", raw(504, "<html>"), true],
    ["no network", unreachable(), false],
    ["an invalid request", refuse(422, "invalid_json"), false],
  ])("shows the trace id only if the server is at fault: %s", async (_, reply, isShown) => {
    server.on("post", SIGNUP, reply);
    const { form, send } = await join();
    await send();
    await settle();
    const [, trace = ""] =
      server.sent("post", SIGNUP)[0]?.headers.get("traceparent")?.split("-") ?? [];
    expect(trace).toHaveLength(32);
    expect(form.textContent?.includes(trace)).toBe(isShown);
  });

  test("is sent once by a double click, however fast the response is", async () => {
    server.on("post", SIGNUP, refuse(422, "handle_taken"));
    const { form } = await join();
    const button = within(form).getByRole("button", { name: "Join now" });
    fireEvent.click(button, { detail: 1 });
    await settle();
    fireEvent.click(button, { detail: 2 });
    await settle();
    expect(server.sent("post", SIGNUP)).toHaveLength(1);
  });

  test("is sent once by pressing Enter twice", async () => {
    const answer = server.hold("post", SIGNUP);
    const { form } = await join();
    fireEvent.submit(form);
    fireEvent.submit(form);
    await settle();
    expect(server.sent("post", SIGNUP)).toHaveLength(1);
    answer.release(refuse(422, "handle_taken"));
    await settle();
    fireEvent.submit(form);
    await settle();
    expect(server.sent("post", SIGNUP)).toHaveLength(2);
  });

  test("cannot be sent twice at the same time", async () => {
    const answer = server.hold("post", SIGNUP);
    const { form, send } = await join();
    await send();
    await settle();
    expect(within(form).getByRole("button", { name: "Join now" })).toHaveAttribute(
      "aria-disabled",
      "true",
    );
    await send();
    expect(server.sent("post", SIGNUP)).toHaveLength(1);
    answer.release(ok({ status: "confirmation_sent" }));
    await settle();
  });
});

function Opener({ onClose = () => undefined }: { onClose?: () => void }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Open
      </button>
      {isOpen && (
        <Dialog
          title="Are you sure?"
          onClose={() => {
            setOpen(false);
            onClose();
          }}
        >
          <p>Think.</p>
        </Dialog>
      )}
    </>
  );
}

describe("a dialog", () => {
  async function open(onClose?: () => void) {
    const showModal = vi.spyOn(HTMLDialogElement.prototype, "showModal");
    const { user } = show(<Opener {...(onClose && { onClose })} />);
    await user.click(screen.getByRole("button", { name: "Open" }));
    return { user, showModal, dialog: screen.getByRole("dialog", { name: "Are you sure?" }) };
  }

  function expectClosed() {
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(screen.getByRole("button", { name: "Open" })).toHaveFocus();
  }

  test("is modal", async () => {
    const { showModal, dialog } = await open();
    expect(showModal).toHaveBeenCalledOnce();
    expect(dialog).toHaveAttribute("open");
  });

  test("closes with its button, and restores the focus", async () => {
    const { user } = await open();
    await user.click(screen.getByRole("button", { name: "Close" }));
    expectClosed();
  });

  test("closes with Escape, and restores the focus", async () => {
    const onClose = vi.fn();
    const { dialog } = await open(onClose);
    const pressed = new Event("cancel", { cancelable: true }); // the event that Escape fires in a browser
    fireEvent(dialog, pressed);
    expect(pressed.defaultPrevented).toBe(true);
    expect(onClose).toHaveBeenCalledOnce();
    expectClosed();
  });

  test("closes on a click outside, not inside", async () => {
    const { dialog } = await open();
    fireEvent.click(screen.getByText("Think."));
    expect(dialog).toBeInTheDocument();
    fireEvent.pointerDown(dialog);
    fireEvent.click(dialog);
    expectClosed();
  });

  test("stays open when a selection is dragged out of it", async () => {
    const { dialog } = await open();
    fireEvent.pointerDown(screen.getByText("Think."));
    fireEvent.click(dialog);
    expect(dialog).toBeInTheDocument();
  });
});

describe("a notice", () => {
  function texts(): string[] {
    const area = screen.getByRole("status", { name: "Notices" });
    return [...area.querySelectorAll("p")].map((p) => p.textContent ?? "");
  }

  function add(...input: Parameters<typeof notify>): void {
    act(() => notify(...input));
  }

  beforeEach(() => {
    show(<p>Page</p>);
  });

  test("disappears by itself, an error later", async () => {
    add("Good");
    add("Bad", "bad");
    expect(texts()).toEqual(["Good", "Bad"]);
    await pass(4 * SECOND - 1);
    expect(texts()).toEqual(["Good", "Bad"]);
    await pass(1);
    expect(texts()).toEqual(["Bad"]);
    await pass(4 * SECOND - 1);
    expect(texts()).toEqual(["Bad"]);
    await pass(1);
    expect(texts()).toEqual([]);
  });

  test("can be dismissed alone", async () => {
    add("One");
    add("Two");
    fireEvent.click(screen.getAllByRole("button", { name: "Dismiss" })[0] as HTMLElement);
    expect(texts()).toEqual(["Two"]);
    await pass(10 * SECOND);
    expect(texts()).toEqual([]);
  });

  test("replaces one with the same text, for the full time", async () => {
    add("Same");
    await pass(3 * SECOND);
    add("Same");
    expect(texts()).toEqual(["Same"]);
    await pass(3 * SECOND);
    expect(texts()).toEqual(["Same"]);
    await pass(SECOND);
    expect(texts()).toEqual([]);
  });

  test("is one of at most three; the oldest is dropped", () => {
    for (const text of ["One", "Two", "Three", "Four"]) {
      add(text);
    }
    expect(texts()).toEqual(["Two", "Three", "Four"]);
  });

  test("shows the trace id if there is one", () => {
    add("Broken", "bad", "4bf92f3577b34da6a3ce929d0e0e4736");
    expect(texts()).toEqual(["Broken", "Trace 4bf92f3577b34da6a3ce929d0e0e4736"]);
  });

  test("is announced to screen readers", () => {
    expect(screen.getByRole("status", { name: "Notices" })).toBeEmptyDOMElement();
  });
});
