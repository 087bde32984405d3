/** Users: short profiles, suggestions, and the member's own profile. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { updateMember } from "../api/session";
import type { ProfileDraft } from "../api/wire";

const SUGGESTED = ["suggested"];

/** The short profile of the user with this handle. */
export function useShortUser(handle: string) {
  return useQuery({
    queryKey: ["users", handle.toLowerCase()],
    queryFn: ({ signal }) =>
      call("get", "/api/users/@{handle}/short", { path: { handle }, signal }),
  });
}

/** Look up the user with this handle when the member asks for it. */
export function useFindUser() {
  return useMutation({
    mutationFn: (handle: string) => call("get", "/api/users/@{handle}/short", { path: { handle } }),
  });
}

export function useSuggested(enabled = true) {
  return useQuery({
    enabled,
    queryKey: SUGGESTED,
    queryFn: async ({ signal }) => {
      const people = await call("get", "/api/users/suggested", { signal });
      return people.map((person) => ({ ...person, followed: false })); // no one that the member follows
    },
    staleTime: 120_000,
  });
}

export function useUpdateProfile() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ProfileDraft) => call("put", "/api/profile/update", { body }),
    onSuccess: ({ display_name, avatar_url }) => {
      updateMember({ display_name, avatar_url });
      return client.invalidateQueries(); // every crud shows the name
    },
  });
}
