/** A browser with passkeys, as a stub: jsdom has none. */

import { onTestFinished, vi } from "vitest";
import type { Answer } from "../../src/api/wire";

type Ask = () => Promise<unknown>;

/** Options for a new passkey, as the backend returns them. */
export const CREATION: Answer<"post", "/api/auth/passkeys/registration"> = {
  attempt: "an-attempt",
  options: {
    rp: { id: "localhost", name: "Cruddur" },
    user: { id: "dXNlcg", name: "worf", displayName: "worf" },
    challenge: "Y2hhbGxlbmdl",
    pubKeyCredParams: [{ type: "public-key", alg: -7 }],
    timeout: 300_000,
    excludeCredentials: [],
    authenticatorSelection: {
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "preferred",
    },
    attestation: "none",
  },
};

/** A challenge for a sign-in, as the backend returns it. */
export const CHALLENGE: Answer<"post", "/api/auth/passkeys/challenge"> = {
  attempt: "an-attempt",
  options: {
    challenge: "Y2hhbGxlbmdl",
    timeout: 300_000,
    rpId: "localhost",
    userVerification: "required",
  },
};

/** The use of a passkey, as the browser encodes it. */
export const ASSERTION = {
  id: "aWQ",
  rawId: "aWQ",
  type: "public-key",
  response: { clientDataJSON: "e30", authenticatorData: "AA", signature: "AA", userHandle: "AA" },
};

const unexpected: Ask = () => Promise.reject(new Error("The page asked for another passkey."));

/** Give the browser passkeys: `create` and `get` return what the authenticator does. */
export function withPasskeys({ create = unexpected, get = unexpected }): void {
  const parse = (options: unknown) => options;
  const kind = Object.assign(() => undefined, {
    parseCreationOptionsFromJSON: parse,
    parseRequestOptionsFromJSON: parse,
  });
  vi.stubGlobal("PublicKeyCredential", kind);
  const credentials = { create, get } as unknown as CredentialsContainer;
  const stub = vi.spyOn(navigator, "credentials", "get").mockReturnValue(credentials);
  onTestFinished(() => stub.mockRestore());
}
