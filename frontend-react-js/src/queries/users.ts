/** People: who a handle is, who is worth reading, and changing one's own profile. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { amend } from "../api/session";
import type { ProfileDraft } from "../api/wire";

const SUGGESTED = ["suggested"];

/** Who a handle is, in a line. */
export function useShortUser(handle: string) {
  return useQuery({
    queryKey: ["users", handle.toLowerCase()],
    queryFn: ({ signal }) =>
      call("get", "/api/users/@{handle}/short", { path: { handle }, signal }),
  });
}

export function useSuggested() {
  return useQuery({
    queryKey: SUGGESTED,
    queryFn: ({ signal }) => call("get", "/api/users/suggested", { signal }),
    staleTime: 120_000,
  });
}

export function useUpdateProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ProfileDraft) => call("put", "/api/profile/update", { body }),
    onSuccess: ({ display_name, avatar_url }) => {
      amend({ display_name, avatar_url });
      return client.invalidateQueries(); // the name stands on every crud
    },
  });
}
