import { beforeEach, describe, expect, test, vi } from "vitest";
import type * as SessionModule from "../../src/api/session";
import { signedIn, uuid, WORF } from "../support/make";
import { disableStorage } from "../support/storage";
import { NOW, SECOND } from "../support/time";

const MARK = "cruddur.signed-in";
const OUT = { phase: "out", wasEnded: false };
const LONDO = { ...WORF, uuid: uuid(2), handle: "londo" };

let session: typeof SessionModule;
let heard: SessionModule.Session["phase"][];

async function load(): Promise<void> {
  vi.resetModules();
  const loaded = await import("../../src/api/session");
  const phases: typeof heard = [];
  loaded.onSession(() => phases.push(loaded.getSession().phase));
  session = loaded;
  heard = phases;
}

beforeEach(load);

/** Fire the event that a browser sends when another tab writes to the storage. */
function elsewhere(key: string | null, newValue: string | null): void {
  dispatchEvent(new StorageEvent("storage", { key, newValue }));
}

describe("a session", () => {
  test("starts signed out", () => {
    expect(session.getSession()).toEqual(OUT);
  });

  test("starts as restoring if this browser was signed in", async () => {
    localStorage.setItem(MARK, WORF.uuid);
    await load();
    expect(session.getSession()).toEqual({ phase: "restoring" });
  });

  test("is a member's after signing in, and stale half a minute before the token expires", () => {
    session.enter(signedIn());
    expect(session.getSession()).toEqual({
      phase: "in",
      user: WORF,
      token: "token-1",
      staleAt: NOW + 870 * SECOND,
    });
    expect(heard).toEqual(["in"]);
  });

  test("stores nothing but the member's uuid", () => {
    session.enter(signedIn());
    expect({ ...localStorage }).toEqual({ [MARK]: WORF.uuid });
    expect({ ...sessionStorage }).toEqual({});
  });

  test("ends when the member signs out", () => {
    session.enter(signedIn());
    session.leave();
    expect(session.getSession()).toEqual(OUT);
    expect(localStorage.getItem(MARK)).toBeNull();
    expect(heard).toEqual(["in", "out"]);
  });

  test("records that it was ended elsewhere", () => {
    session.enter(signedIn());
    session.end();
    expect(session.getSession()).toEqual({ phase: "out", wasEnded: true });
    expect(localStorage.getItem(MARK)).toBeNull();
    session.enter(signedIn());
    session.leave();
    expect(session.getSession()).toEqual(OUT);
  });

  test("takes the member's new name", () => {
    session.enter(signedIn());
    session.updateMember({ display_name: "Lieutenant Commander Worf" });
    expect(session.getSession()).toMatchObject({
      token: "token-1",
      user: { ...WORF, display_name: "Lieutenant Commander Worf" },
    });
    expect(heard).toEqual(["in", "in"]);
  });

  test("of a visitor ignores a new name", () => {
    session.updateMember({ display_name: "Q" });
    expect(session.getSession()).toEqual(OUT);
    expect(heard).toEqual([]);
  });

  test("does not call a removed listener", () => {
    const listener = vi.fn();
    session.onSession(listener)();
    session.enter(signedIn());
    expect(listener).not.toHaveBeenCalled();
  });
});

describe("another tab", () => {
  test("that signs out signs out this one", () => {
    session.enter(signedIn());
    elsewhere(MARK, null);
    expect(session.getSession()).toEqual(OUT);
  });

  test("that signs in makes this one restore its session", () => {
    elsewhere(MARK, WORF.uuid);
    expect(session.getSession()).toEqual({ phase: "restoring" });
  });

  test("that signs in as another member makes this one restore its session", () => {
    session.enter(signedIn());
    elsewhere(MARK, LONDO.uuid);
    expect(session.getSession()).toEqual({ phase: "restoring" });
    session.enter(signedIn(LONDO));
    expect(session.getSession()).toMatchObject({ phase: "in", user: LONDO });
  });

  test("that renews the same member's session changes nothing here", () => {
    session.enter(signedIn());
    elsewhere(MARK, WORF.uuid);
    expect(session.getSession()).toMatchObject({ phase: "in", token: "token-1" });
    expect(heard).toEqual(["in"]);
  });

  test("that stores something else changes nothing here", () => {
    session.enter(signedIn());
    elsewhere("other", null);
    expect(session.getSession()).toMatchObject({ phase: "in" });
    expect(heard).toEqual(["in"]);
  });
});

test("a browser without storage stays signed in while the page is open", async () => {
  disableStorage();
  await load();
  expect(session.getSession()).toEqual(OUT);
  session.enter(signedIn());
  expect(session.getSession().phase).toBe("in");
  session.leave();
  expect(session.getSession()).toEqual(OUT);
  vi.unstubAllGlobals();
});
