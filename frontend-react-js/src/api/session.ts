/**
 * The session of the signed-in member. The access token is kept only in this module's memory;
 * the refresh token is a cookie that scripts cannot read.
 *
 *     restoring ──▶ out ◀──▶ in
 *
 * A page starts as `restoring` if this browser was signed in on its last visit: the first
 * request then exchanges the cookie for a token. The mark in local storage that records this
 * holds no secret, and saves visitors a request that would fail. Other tabs follow the mark.
 */

import { load, store } from "../storage";
import type { Member, SignedIn } from "./wire";

export type Session =
  | { readonly phase: "restoring" }
  | {
      readonly phase: "out";
      /** Whether the session was ended elsewhere, not by signing out in this browser. */
      readonly wasEnded: boolean;
    }
  | {
      readonly phase: "in";
      readonly user: Member;
      readonly token: string;
      /** Local time, in milliseconds, from which the token must be renewed. */
      readonly staleAt: number;
    };

const MARK = "cruddur.signed-in";
/** Seconds before expiry from which a token is not used any more. */
const MARGIN = 30;

const listeners = new Set<() => void>();
let session = begin(load(MARK) !== null);

export function getSession(): Session {
  return session;
}

/** The viewer's uuid; null for a visitor, undefined while the session is being restored. */
export function viewerUuid(): string | null | undefined {
  switch (session.phase) {
    case "restoring":
      return undefined;
    case "out":
      return null;
    case "in":
      return session.user.uuid;
  }
}

/** Call `listener` at every change until the returned function is called. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Start a session from a sign-in or refresh response. */
export function enter(answer: SignedIn): void {
  const staleAt = Date.now() + (answer.expires_in - MARGIN) * 1000;
  store(MARK, answer.user.uuid);
  set({ phase: "in", user: answer.user, token: answer.access_token, staleAt });
}

/** End the session after the member signed out. */
export function leave(): void {
  store(MARK, null);
  set({ phase: "out", wasEnded: false });
}

/** End the session because the server has ended it. */
export function end(): void {
  store(MARK, null);
  set({ phase: "out", wasEnded: true });
}

/** Update the member's name or picture. */
export function updateMember(change: Partial<Member>): void {
  if (session.phase === "in") {
    set({ ...session, user: { ...session.user, ...change } });
  }
}

function set(next: Session): void {
  session = next;
  for (const listener of listeners) {
    listener();
  }
}

// Another tab signed in or out, or changed the account.
addEventListener("storage", (event) => {
  // A null key means that all of local storage was cleared.
  const isMark = event.key === MARK || event.key === null;
  if (!isMark || (session.phase === "in" && event.newValue === session.user.uuid)) {
    return;
  }
  set(begin(event.newValue !== null));
});

function begin(isMarked: boolean): Session {
  return isMarked ? { phase: "restoring" } : { phase: "out", wasEnded: false };
}
