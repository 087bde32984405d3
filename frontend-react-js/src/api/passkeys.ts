/** The browser's side of passkeys (WebAuthn). */

import { ApiError, type OwnCode } from "./http";
import type {
  PasskeyAssertion,
  PasskeyCreationOptions,
  PasskeyRegistration,
  PasskeyRequestOptions,
} from "./wire";

/** Whether this browser has passkeys. It has none on an address without https, either. */
export function hasPasskeys(): boolean {
  return (
    typeof PublicKeyCredential === "function" &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function"
  );
}

/** What a browser reports that makes no passkey, or finds none, by the name of its error. */
const CODES: Readonly<Record<string, OwnCode>> = {
  InvalidStateError: "passkey_known",
  SecurityError: "passkey_elsewhere",
};

/**
 * Let the member make a passkey.
 *
 * @throws {ApiError} with an `OwnCode`: the member or the browser did not do it.
 */
export async function createPasskey(options: PasskeyCreationOptions): Promise<PasskeyRegistration> {
  return asked<PasskeyRegistration>(() =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(
        options as PublicKeyCredentialCreationOptionsJSON,
      ),
    }),
  );
}

/**
 * Let the member choose a passkey and use it.
 *
 * @throws {ApiError} as `createPasskey`.
 */
export async function askForPasskey(options: PasskeyRequestOptions): Promise<PasskeyAssertion> {
  return asked<PasskeyAssertion>(() =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(
        options as PublicKeyCredentialRequestOptionsJSON,
      ),
    }),
  );
}

/** The JSON of a credential, which the browser encodes as the API takes it. */
async function asked<T>(ask: () => Promise<Credential | null>): Promise<T> {
  if (!hasPasskeys()) {
    throw failure("passkey_unsupported");
  }
  try {
    const credential = await ask();
    if (credential === null) {
      throw failure("passkey_cancelled");
    }
    return (credential as PublicKeyCredential).toJSON() as T;
  } catch (error) {
    throw error instanceof DOMException ? failure(CODES[error.name] ?? "passkey_cancelled") : error;
  }
}

function failure(code: OwnCode): ApiError {
  return new ApiError(400, [code], "");
}
