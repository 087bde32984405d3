/** What moderators decided about the member, and about an account that cannot sign in. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { updateMember } from "../api/session";

const NOTICES = ["notices"];

/** The latest decisions about the member. The server marks them as read. */
export function useNotices() {
  return useQuery({
    queryKey: NOTICES,
    queryFn: async ({ signal }) => {
      const notices = await call("get", "/api/notices", { signal });
      updateMember({ unread_notices: 0 });
      return notices;
    },
  });
}

export function useAppeal() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid, words }: { uuid: string; words: string }) =>
      call("post", "/api/notices/{uuid}/appeal", { path: { uuid }, body: { words } }),
    onSuccess: () => client.invalidateQueries({ queryKey: NOTICES }),
  });
}

/** Why the account is suspended whose sign-in was rejected; `attempt` identifies that. */
export function useSuspension(attempt: number) {
  return useQuery({
    queryKey: [...NOTICES, "suspension", attempt],
    queryFn: ({ signal }) => call("get", "/api/auth/suspension", { signal }),
    gcTime: 0,
    retry: false,
  });
}
