/** Who is signed in, for components. */

import { useSyncExternalStore } from "react";
import { getSession, onSession, type Session } from "../api/session";
import type { Member } from "../api/wire";

export function useSession(): Session {
  return useSyncExternalStore(onSession, getSession);
}

/** The signed-in member, or null: a visitor, or somebody about to be recognised. */
export function useMember(): Member | null {
  const session = useSession();
  return session.phase === "in" ? session.user : null;
}
