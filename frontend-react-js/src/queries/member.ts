/** What others change about the member, such as the role, and the terms that the member accepts. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLocation } from "react-router";
import { call } from "../api/http";
import { updateMember } from "../api/session";
import type { Member } from "../api/wire";
import { NOTIFY_ON_ERROR } from "./client";
import { usePolling } from "./polling";

/** Minimum number of milliseconds between two requests. */
const EVERY = 60_000;

/**
 * Fetch the role and the numbers of unread decisions and open cases again when the stream says so, and
 * when the member goes to another page or comes back to the tab.
 */
export function useMemberUpdates(member: Member | null): void {
  const { key } = useLocation();
  const { isStale, refetch } = useQuery({
    queryKey: ["member", member?.uuid],
    queryFn: async ({ signal }) => {
      const { role, unread_notices, open_cases } = await call("get", "/api/auth/me", { signal });
      updateMember({ role, unread_notices, open_cases });
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

export function useAcceptTerms() {
  return useMutation({
    mutationFn: (version: number) =>
      call("put", "/api/auth/terms", { body: { terms_version: version } }),
    onSuccess: ({ terms_version, terms_accepted_at }) =>
      updateMember({ terms_version, terms_accepted_at }),
    meta: NOTIFY_ON_ERROR,
  });
}
