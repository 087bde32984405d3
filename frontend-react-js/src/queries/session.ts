/** The session, for components. */

import { useSyncExternalStore } from "react";
import { getSession, onSession, type Session } from "../api/session";
import type { Member } from "../api/wire";

export function useSession(): Session {
  return useSyncExternalStore(onSession, getSession);
}

/** The signed-in member; null for a visitor, and while the session is being restored. */
export function useMember(): Member | null {
  const session = useSession();
  return session.phase === "in" ? session.user : null;
}
