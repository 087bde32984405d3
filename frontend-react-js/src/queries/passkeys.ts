/** The passkeys of this account, and sign-ins with them. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { askForPasskey, createPasskey, hasPasskeys } from "../api/passkeys";
import { enter } from "../api/session";
import type { Passkey, PasskeyAnswer } from "../api/wire";
import { SECOND_FACTOR } from "./secondFactor";

const PASSKEYS = ["passkeys"];

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

/** Whether the service has passkeys; undefined until that is known. */
export function usePasskeySupport(isNeeded: boolean): boolean | undefined {
  const support = useQuery({
    queryKey: [...PASSKEYS, "support"],
    queryFn: ({ signal }) => call("get", "/api/auth/passkeys/support", { signal }),
    enabled: isNeeded,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return support.data?.is_available;
}

/**
 * Whether this browser has passkeys, and the service as far as is known: most have them, and what
 * appears later would move the page.
 */
export function useCanUsePasskeys(): boolean {
  const isSupported = usePasskeySupport(hasPasskeys()) ?? true;
  return isSupported && hasPasskeys();
}

/** The passkeys of this account, the oldest first. */
export function usePasskeys() {
  return useQuery({
    queryKey: [...PASSKEYS, "list"],
    queryFn: ({ signal }) => call("get", "/api/auth/passkeys", { signal }),
  });
}

/** Make a passkey and add it. Resolves to new recovery codes, if the account had none. */
export function useAddPasskey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, password }: { name: string; password: string }) => {
      const { attempt, options } = await call("post", "/api/auth/passkeys/registration", {
        body: { password },
      });
      const credential = await createPasskey(options);
      return call("post", "/api/auth/passkeys", { body: { name, attempt, credential } });
    },
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: PASSKEYS }),
        client.invalidateQueries({ queryKey: SECOND_FACTOR }),
      ]),
    gcTime: 0,
  });
}

export function useRenamePasskey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid, name }: { uuid: string; name: string }) =>
      call("put", "/api/auth/passkeys/{uuid}", { path: { uuid }, body: { name } }),
    onSuccess: (renamed) =>
      client.setQueryData<Passkey[]>([...PASSKEYS, "list"], (passkeys) =>
        passkeys?.map((passkey) => (passkey.uuid === renamed.uuid ? renamed : passkey)),
      ),
  });
}

/** Remove a passkey, with the password. */
export function useRemovePasskey() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ uuid, password }: { uuid: string; password: string }) =>
      call("delete", "/api/auth/passkeys/{uuid}", { path: { uuid }, body: { password } }),
    onSuccess: (remaining) => {
      client.setQueryData([...PASSKEYS, "list"], remaining);
      return client.invalidateQueries({ queryKey: SECOND_FACTOR });
    },
  });
}

/** Ask for a passkey, and return what it answers. */
export async function answerWithPasskey(
  purpose: "sign_in" | "second_factor",
): Promise<PasskeyAnswer> {
  const { attempt, options } = await call("post", "/api/auth/passkeys/challenge", {
    body: { purpose },
  });
  return { attempt, credential: await askForPasskey(options) };
}

/** Sign in with a passkey: alone, or after the password. */
export function usePasskeySignIn() {
  return useMutation({
    mutationFn: async (credentials: Credentials | null) => {
      const passkey = await answerWithPasskey(credentials === null ? "sign_in" : "second_factor");
      return credentials === null
        ? call("post", "/api/auth/signin/passkey", { body: { passkey } })
        : call("post", "/api/auth/signin", { body: { ...credentials, passkey } });
    },
    onSuccess: enter,
  });
}
