/** What went wrong, in a sentence a person can act on. */

import { type AnyCode, ApiError, type OwnCode } from "../api/http";
import type { Code } from "../api/wire";
import sentences from "./sentences.json";

// The compiler refuses a code without a sentence; a test compares the two lists both ways.
const SENTENCES: Record<Code, string> = sentences;

const OWN: Record<OwnCode, string> = {
  timed_out: "Cruddur took too long to answer. Try again.",
  unreachable: "Cruddur cannot be reached. Are you online?",
};

const BY_CODE = new Map<string, string>(Object.entries({ ...SENTENCES, ...OWN }));

/** The fields of forms and what their codes begin with; the first that fits counts. */
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
  /** The field of a form that the first code is about. */
  readonly field: FieldName | null;
  /** The trace to look for, where the fault is the server's. */
  readonly traceId: string | null;
}

/** The problem of a failed call; anything else that was thrown is a fault of ours. */
export function describeProblem(error: unknown): Problem {
  if (!(error instanceof ApiError)) {
    return { sentences: [sentence("generic_500")], field: null, traceId: null };
  }
  return {
    sentences: error.codes.map((code) => waited(sentence(code), error.retryAfter, error.status)),
    field: FIELDS.find((name) => error.codes[0]?.startsWith(`${name}_`)) ?? null,
    traceId: error.isServers && !hasCode(error, "unreachable") ? error.traceId : null,
  };
}

/** Whether an error is a refusal with this code. */
export function hasCode(error: unknown, code: AnyCode): boolean {
  return error instanceof ApiError && error.codes.includes(code);
}

function sentence(code: string): string {
  return BY_CODE.get(code) ?? `Cruddur refused it (${code}).`;
}

function waited(text: string, seconds: number | null, status: number): string {
  if (status !== 429 || seconds === null) {
    return text;
  }
  const minutes = Math.ceil(seconds / 60);
  return minutes > 1 ? `${text} It takes ${minutes} minutes.` : `${text} It takes a minute.`;
}
