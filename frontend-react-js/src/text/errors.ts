/** Errors as sentences that a user can act on. */

import { type AnyCode, ApiError, type OwnCode } from "../api/http";
import type { Code } from "../api/wire";
import sentences from "./sentences.json";

// The compiler rejects a code without a sentence; a test compares the two lists both ways.
const SENTENCES: Record<Code, string> = sentences;

const OWN: Record<OwnCode, string> = {
  timed_out: "Cruddur took too long to respond. Try again.",
  unreachable: "We can’t reach Cruddur. Are you online?",
};

const BY_CODE = new Map<string, string>(Object.entries({ ...SENTENCES, ...OWN }));

/** The form fields, which are also prefixes of codes. The first match wins. */
const FIELDS = [
  "current_password",
  "display_name",
  "password",
  "email",
  "handle",
  "bio",
  "code",
  "message",
  "search_term",
  "ttl",
] as const;

export type FieldName = (typeof FIELDS)[number];

export interface Problem {
  readonly sentences: readonly string[];
  /** The form field that the first code belongs to. */
  readonly field: FieldName | null;
  /** The trace id to report, where the server is at fault. */
  readonly traceId: string | null;
}

/** Describe a failed call. Any other error is a bug of this page. */
export function describeProblem(error: unknown): Problem {
  if (!(error instanceof ApiError)) {
    return { sentences: [sentence("generic_500")], field: null, traceId: null };
  }
  return {
    sentences: error.codes.map((code) => withWait(sentence(code), error.retryAfter, error.status)),
    field: FIELDS.find((name) => error.codes[0]?.startsWith(`${name}_`)) ?? null,
    traceId: error.isServerFault && !hasCode(error, "unreachable") ? error.traceId : null,
  };
}

/** Whether an error is a failed call with this code. */
export function hasCode(error: unknown, code: AnyCode): boolean {
  return error instanceof ApiError && error.codes.includes(code);
}

function sentence(code: string): string {
  return BY_CODE.get(code) ?? `That didn’t work (${code}).`;
}

function withWait(text: string, seconds: number | null, status: number): string {
  if (status !== 429 || seconds === null) {
    return text;
  }
  const minutes = Math.ceil(seconds / 60);
  return `${text} You can try again in ${minutes > 1 ? `${minutes} minutes` : "a minute"}.`;
}
