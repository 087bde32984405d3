/** API tokens, with which programs act for the member. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import type { ApiToken, ApiTokenDraft } from "../api/wire";

const TOKENS = ["api-tokens"];

/** The tokens of this account, the newest first. */
export function useApiTokens() {
  return useQuery({
    queryKey: TOKENS,
    queryFn: ({ signal }) => call("get", "/api/auth/tokens", { signal }),
  });
}

/** Create a token. Only the response contains the token itself, and nothing caches it. */
export function useCreateApiToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ApiTokenDraft) => call("post", "/api/auth/tokens", { body }),
    onSuccess: ({ token: _, ...created }) =>
      client.setQueryData<ApiToken[]>(TOKENS, (tokens) => tokens && [created, ...tokens]),
    gcTime: 0,
  });
}

/** Revoke a token. */
export function useRevokeApiToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid }: ApiToken) =>
      call("delete", "/api/auth/tokens/{uuid}", { path: { uuid } }),
    onSuccess: ({ uuid }) =>
      client.setQueryData<ApiToken[]>(TOKENS, (tokens) =>
        tokens?.filter((token) => token.uuid !== uuid),
      ),
  });
}
