/**
 * Who is signed in. The access token lives in this module's memory and nowhere else; the
 * refresh token is a cookie that no script sees.
 *
 *     restoring ──▶ out ◀──▶ in
 *
 * A page begins as `restoring` if this browser was signed in when it was last here: the
 * first request asks for a token by the cookie. The mark that tells so holds no secret, and
 * spares visitors a request that could only be refused. Other tabs follow it.
 */

import type { Member, SignedIn } from "./wire";

export type Session =
  | { readonly phase: "restoring" }
  | {
      readonly phase: "out";
      /** Whether the member did not ask for it: the session was ended elsewhere. */
      readonly wasEnded: boolean;
    }
  | {
      readonly phase: "in";
      readonly user: Member;
      readonly token: string;
      /** This machine's time, in milliseconds, from which the token is renewed. */
      readonly staleAt: number;
    };

const MARK = "cruddur.signed-in";
/** Seconds before its end at which a token is no longer used. */
const MARGIN = 30;

const listeners = new Set<() => void>();
let session = begin(readMark() !== null);

export function getSession(): Session {
  return session;
}

/** Whose page it is: null for a visitor, undefined while it is being found out. */
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

/** Take what signing in or refreshing answered. */
export function enter(answer: SignedIn): void {
  const staleAt = Date.now() + (answer.expires_in - MARGIN) * 1000;
  writeMark(answer.user.uuid);
  set({ phase: "in", user: answer.user, token: answer.access_token, staleAt });
}

/** Forget the member, who signed out. */
export function leave(): void {
  writeMark(null);
  set({ phase: "out", wasEnded: false });
}

/** Forget the member, whose session is no more. */
export function end(): void {
  writeMark(null);
  set({ phase: "out", wasEnded: true });
}

/** The member changed their name or picture. */
export function amend(change: Partial<Member>): void {
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

// Another tab signed in, out, or in as somebody else.
addEventListener("storage", (event) => {
  // Without a key, all that was stored is gone.
  const isMark = event.key === MARK || event.key === null;
  if (!isMark || (session.phase === "in" && event.newValue === session.user.uuid)) {
    return;
  }
  set(begin(event.newValue !== null));
});

function begin(isMarked: boolean): Session {
  return isMarked ? { phase: "restoring" } : { phase: "out", wasEnded: false };
}

function readMark(): string | null {
  try {
    return localStorage.getItem(MARK);
  } catch {
    return null; // storage is switched off: each page load signs in anew
  }
}

function writeMark(uuid: string | null): void {
  try {
    if (uuid === null) {
      localStorage.removeItem(MARK);
    } else {
      localStorage.setItem(MARK, uuid);
    }
  } catch {
    // Storage is switched off.
  }
}
