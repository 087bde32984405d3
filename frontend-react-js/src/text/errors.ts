/** Errors as sentences that a user can act on. */

import { type AnyCode, ApiError } from "../api/http";
import { t } from "../language";

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
  "token_name",
  "passkey_name",
  "scopes",
  "reason",
  "days",
  "words",
  "category",
  "decision",
  "invitation",
  "terms",
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

/** The sentences for errors of the further pages, once these are loaded. */
let more: Readonly<Record<string, string>> = {};

export function setMoreErrors(errors: Readonly<Record<string, string>>): void {
  more = errors;
}

function sentence(code: string): string {
  const sentences = new Map(Object.entries({ ...more, ...t.errors }));
  return sentences.get(code) ?? t.problem.unknown(code);
}

function withWait(text: string, seconds: number | null, status: number): string {
  if (status !== 429) {
    return text;
  }
  const minutes = seconds === null ? null : Math.max(1, Math.ceil(seconds / 60));
  return `${text} ${t.problem.wait(minutes)}`;
}
