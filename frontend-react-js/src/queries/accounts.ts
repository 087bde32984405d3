/** Accounts and their sessions. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, restore } from "../api/http";
import { enter, leave } from "../api/session";
import type { Session } from "../api/wire";
import { NOTIFY_ON_ERROR } from "./client";

const SESSIONS = ["sessions"];

/** Exchange the refresh cookie for a session, if this browser was signed in before. */
export function useRestore(isRestoring: boolean) {
  return useQuery({
    queryKey: ["restore"],
    queryFn: async () => {
      await restore();
      return true;
    },
    enabled: isRestoring,
    gcTime: 0,
    staleTime: 0,
  });
}

/** Sign in. `email` may also be a handle; `code` is that of a second factor. */
export function useSignIn() {
  return useMutation({
    mutationFn: (body: { email: string; password: string; code?: string }) =>
      call("post", "/api/auth/signin", { body }),
    onSuccess: enter,
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => call("post", "/api/auth/signout", {}),
    onSuccess: leave,
    meta: NOTIFY_ON_ERROR,
  });
}

export function useForgot() {
  return useMutation({
    mutationFn: (email: string) => call("post", "/api/auth/forgot", { body: { email } }),
  });
}

export function useReset() {
  return useMutation({
    mutationFn: (body: { email: string; code: string; password: string }) =>
      call("post", "/api/auth/reset", { body }),
    onSuccess: leave, // the server ended every session
  });
}

/** Change the password. The server ends all other sessions. */
export function useChangePassword() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { current_password: string; password: string }) =>
      call("put", "/api/auth/password", { body }),
    onSuccess: () => client.invalidateQueries({ queryKey: SESSIONS }),
  });
}

export function useDeleteAccount() {
  return useMutation({
    mutationFn: (password: string) => call("delete", "/api/auth/me", { body: { password } }),
    onSuccess: leave,
  });
}

/** The sessions of this account, the most recently used first. */
export function useSessions() {
  return useQuery({
    queryKey: SESSIONS,
    queryFn: ({ signal }) => call("get", "/api/auth/sessions", { signal }),
  });
}

/** End all sessions of this account except this one. */
export function useRevokeOthers() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => call("delete", "/api/auth/sessions", {}),
    onSuccess: (remaining) => client.setQueryData(SESSIONS, remaining),
    meta: NOTIFY_ON_ERROR,
  });
}

/** End another session of this account. */
export function useRevoke() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid }: Session) =>
      call("delete", "/api/auth/sessions/{uuid}", { path: { uuid } }),
    onSuccess: (remaining) => client.setQueryData(SESSIONS, remaining),
  });
}
