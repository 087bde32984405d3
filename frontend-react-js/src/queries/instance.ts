/** What the instance is. What admins manage is in administration.ts. */

import { useQuery } from "@tanstack/react-query";
import { call } from "../api/http";

/** The stream keeps it up to date (queries/live.ts). */
export const INSTANCE = ["instance"];

export function useInstance() {
  return useQuery({
    queryKey: INSTANCE,
    queryFn: ({ signal }) => call("get", "/api/instance", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Whether new accounts are opened; true until that is known. */
export function useCanJoin(): boolean {
  return useInstance().data?.sign_up_mode !== "closed";
}
