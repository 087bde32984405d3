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
  /** The form field that each sentence is about, or null. */
  readonly fields: readonly (FieldName | null)[];
  /** The trace id to report, where the server is at fault. */
  readonly traceId: string | null;
}

/** Describe a failed call. Any other error is a bug of this page. */
export function describeProblem(error: unknown): Problem {
  if (!(error instanceof ApiError)) {
    return { sentences: [sentence("generic_500")], fields: [null], traceId: null };
  }
  return {
    sentences: error.codes.map((code) => withWait(sentence(code), error.retryAfter, error.status)),
    fields: error.codes.map((code) => FIELDS.find((name) => code.startsWith(`${name}_`)) ?? null),
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
  if (status !== 429) {
    return text;
  }
  const minutes = seconds === null ? null : Math.ceil(seconds / 60);
  const wait = minutes === null ? "later" : minutes > 1 ? `in ${minutes} minutes` : "in a minute";
  return `${text} Try again ${wait}.`;
}
