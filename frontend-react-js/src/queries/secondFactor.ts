/** The second factor of this account. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ApiError, call } from "../api/http";
import type { SecondFactor } from "../api/wire";
import { hasCode } from "../text/errors";

export const SECOND_FACTOR = ["second-factor"];

/** Whether sign-ins to this account need a code. */
export function useSecondFactor() {
  return useQuery({
    queryKey: SECOND_FACTOR,
    queryFn: ({ signal }) => call("get", "/api/auth/second-factor", { signal }),
  });
}

/** Get a new secret for an authenticator app. */
export function useBeginSecondFactor() {
  return useMutation({
    mutationFn: (password: string) =>
      call("post", "/api/auth/second-factor", { body: { password } }),
    gcTime: 0,
  });
}

/** Turn the second factor on with its first code. Resolves to recovery codes if there were none. */
export function useConfirmSecondFactor() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (code: string) => call("put", "/api/auth/second-factor", { body: { code } }),
    onSuccess: ({ recovery_codes }) =>
      client.setQueryData<SecondFactor>(SECOND_FACTOR, (before) => ({
        status: "on",
        recovery_codes_left: recovery_codes.length || (before?.recovery_codes_left ?? 0),
      })),
    gcTime: 0,
  });
}

/** Turn the second factor off, with the password. */
export function useRemoveSecondFactor() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (password: string) =>
      call("delete", "/api/auth/second-factor", { body: { password } }),
    onSuccess: (state) => client.setQueryData(SECOND_FACTOR, state),
  });
}

/**
 * An error that asks for a code or a passkey, without the passkey: the form has a button for it, next to
 * the field that says what to enter.
 */
export function askedOnce(error: unknown): unknown {
  return error instanceof ApiError && hasCode(error, "code_required")
    ? new ApiError(error.status, ["code_required"], error.traceId)
    : error;
}
