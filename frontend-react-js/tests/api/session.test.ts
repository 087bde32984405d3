import { beforeEach, describe, expect, test, vi } from "vitest";
import type * as SessionModule from "../../src/api/session";
import { signedIn, uuid, WORF } from "../support/make";
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

/** What a browser tells this tab when another one writes to the storage. */
function elsewhere(key: string | null, newValue: string | null): void {
  dispatchEvent(new StorageEvent("storage", { key, newValue }));
}

describe("a session", () => {
  test("begins as a visitor's", () => {
    expect(session.getSession()).toEqual(OUT);
  });

  test("begins open where this browser was signed in", async () => {
    localStorage.setItem(MARK, WORF.uuid);
    await load();
    expect(session.getSession()).toEqual({ phase: "restoring" });
  });

  test("is a member's after signing in, until half a minute before the token ends", () => {
    session.enter(signedIn());
    expect(session.getSession()).toEqual({
      phase: "in",
      user: WORF,
      token: "token-1",
      staleAt: NOW + 870 * SECOND,
    });
    expect(heard).toEqual(["in"]);
  });

  test("leaves nothing in the storage but who it was", () => {
    session.enter(signedIn());
    expect({ ...localStorage }).toEqual({ [MARK]: WORF.uuid });
    expect({ ...sessionStorage }).toEqual({});
  });

  test("is over after signing out", () => {
    session.enter(signedIn());
    session.leave();
    expect(session.getSession()).toEqual(OUT);
    expect(localStorage.getItem(MARK)).toBeNull();
    expect(heard).toEqual(["in", "out"]);
  });

  test("says when it was ended by another", () => {
    session.enter(signedIn());
    session.end();
    expect(session.getSession()).toEqual({ phase: "out", wasEnded: true });
    expect(localStorage.getItem(MARK)).toBeNull();
    session.enter(signedIn());
    session.leave();
    expect(session.getSession()).toEqual(OUT);
  });

  test("knows the member by their new name", () => {
    session.enter(signedIn());
    session.amend({ display_name: "Lieutenant Commander Worf" });
    expect(session.getSession()).toMatchObject({
      token: "token-1",
      user: { ...WORF, display_name: "Lieutenant Commander Worf" },
    });
    expect(heard).toEqual(["in", "in"]);
  });

  test("of a visitor has no name to change", () => {
    session.amend({ display_name: "Q" });
    expect(session.getSession()).toEqual(OUT);
    expect(heard).toEqual([]);
  });

  test("is told to nobody who has stopped listening", () => {
    const listener = vi.fn();
    session.onSession(listener)();
    session.enter(signedIn());
    expect(listener).not.toHaveBeenCalled();
  });
});

describe("another tab", () => {
  test("that signs out takes this one along", () => {
    session.enter(signedIn());
    elsewhere(MARK, null);
    expect(session.getSession()).toEqual(OUT);
  });

  test("that signs in takes this one along", () => {
    elsewhere(MARK, WORF.uuid);
    expect(session.getSession()).toEqual({ phase: "restoring" });
  });

  test("that signs in as another person makes this one ask who it is", () => {
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

test("a browser without storage signs in for as long as the page is open", async () => {
  const refused = () => {
    throw new DOMException("The operation is insecure.", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refused, setItem: refused, removeItem: refused });
  await load();
  expect(session.getSession()).toEqual(OUT);
  session.enter(signedIn());
  expect(session.getSession().phase).toBe("in");
  session.leave();
  expect(session.getSession()).toEqual(OUT);
  vi.unstubAllGlobals();
});
