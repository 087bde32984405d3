/** The address of this account, and its change. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import { updateMember } from "../api/session";
import type { EmailAddress, EmailChangeDraft } from "../api/wire";
import { answerWithPasskey } from "./passkeys";

const EMAIL = ["email"];

/** The address, and the new one that waits for its code. */
export function useEmailAddress() {
  return useQuery({
    queryKey: EMAIL,
    queryFn: ({ signal }) => call("get", "/api/auth/email", { signal }),
  });
}

/** Send a code to the new address. `usesPasskey`: with a passkey as the second factor. */
export function useBeginEmailChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ draft, usesPasskey }: { draft: EmailChangeDraft; usesPasskey: boolean }) =>
      call("post", "/api/auth/email", {
        body: usesPasskey ? { ...draft, passkey: await answerWithPasskey("second_factor") } : draft,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: EMAIL }),
    gcTime: 0,
  });
}

/** Change the address with that code. */
export function useConfirmEmailChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (code: string) => call("put", "/api/auth/email", { body: { code } }),
    onSuccess: (address) => {
      client.setQueryData<EmailAddress>(EMAIL, address);
      updateMember({ email: address.email });
    },
  });
}

/** Stop a change, or take it back, with the code that was sent to the old address. */
export function useStopEmailChange() {
  return useMutation({
    mutationFn: (code: string) => call("post", "/api/auth/email/stop", { body: { code } }),
  });
}
