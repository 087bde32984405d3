/** Sign-up, and the codes that confirm it. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { enter, getSession } from "../api/session";
import { hasCode } from "../text/errors";

interface Keyed<T> {
  body: T;
  key: string;
}

interface SignUp {
  email: string;
  password: string;
  handle: string;
  display_name: string;
  invitation?: string;
  terms_version?: number;
}

/** The last sign-up, until it is confirmed. It is only in this memory. */
let signedUp: SignUp | null = null;

/** What the last sign-up had entered, if it waits for its confirmation. */
export function lastSignUp(): SignUp | null {
  return signedUp;
}

export function useSignUp() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ body, key }: Keyed<SignUp>) =>
      call("post", "/api/auth/signup", { body, idempotencyKey: key }),
    onSuccess: (_, { body }) => {
      signedUp = body;
    },
    onError: (error) =>
      hasCode(error, "terms_not_accepted")
        ? client.invalidateQueries({ queryKey: ["instance"] }) // they may have changed
        : undefined,
  });
}

/**
 * Confirm an account and sign in. Not every provider starts a session without the password; then
 * the one of the sign-up is used, if this page has it. Resolves to whether the member is signed in.
 */
export function useConfirm() {
  return useMutation({
    mutationFn: async (body: { email: string; code: string }) => {
      const { session } = await call("post", "/api/auth/confirm", { body });
      const credentials =
        signedUp?.email === body.email
          ? { email: signedUp.email, password: signedUp.password }
          : null;
      signedUp = null;
      if (session !== undefined) {
        enter(session);
      } else if (credentials !== null) {
        await call("post", "/api/auth/signin", { body: credentials }).then(enter, () => undefined);
      }
      return getSession().phase === "in";
    },
  });
}

/**
 * Whether codes are printed in the terminal that runs Cruddur, and not sent by mail; undefined until
 * that is known.
 */
export function useCodesInTerminal(): boolean | undefined {
  const delivery = useQuery({
    queryKey: ["code-delivery"],
    queryFn: ({ signal }) => call("get", "/api/auth/code-delivery", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return delivery.isPending ? undefined : delivery.data?.channel === "terminal";
}

export function useResend() {
  return useMutation({
    mutationFn: (email: string) => call("post", "/api/auth/resend", { body: { email } }),
  });
}
