/** What others change about the member: decisions of moderators, and the role. */

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLocation } from "react-router";
import { call } from "../api/http";
import { updateMember } from "../api/session";
import type { Member } from "../api/wire";
import { usePolling } from "./polling";

/** Minimum number of milliseconds between two requests. */
const EVERY = 60_000;

/**
 * Fetch the role and the number of unread decisions again when the member goes to another page or
 * comes back to the tab. The stream has no event for them.
 */
export function useMemberUpdates(member: Member | null): void {
  const { key } = useLocation();
  const { isStale, refetch } = useQuery({
    queryKey: ["member", member?.uuid],
    queryFn: async ({ signal }) => {
      const { role, unread_notices } = await call("get", "/api/auth/me", { signal });
      updateMember({ role, unread_notices });
      return null;
    },
    enabled: member !== null,
    initialData: null, // the session has just been fetched
    staleTime: EVERY,
    refetchInterval: usePolling(EVERY),
    retry: false,
  });
  const isSignedIn = member !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a navigation asks again.
  useEffect(() => {
    if (isSignedIn && isStale) {
      void refetch();
    }
  }, [key]);
}
