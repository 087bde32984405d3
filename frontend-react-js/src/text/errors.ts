/** Errors as sentences that a user can act on. */

import { type AnyCode, ApiError } from "../api/http";
import { t } from "../language";

/** The name of a form field. The codes about it start with it. */
export type FieldName =
  | "bio"
  | "blocked_domains"
  | "category"
  | "code"
  | "current_password"
  | "days"
  | "decision"
  | "default_ttl"
  | "description"
  | "display_name"
  | "email"
  | "evidence_days"
  | "handle"
  | "invitation"
  | "max_ttl"
  | "max_uses"
  | "message"
  | "name"
  | "passkey_name"
  | "password"
  | "reason"
  | "rules"
  | "scopes"
  | "sign_up_mode"
  | "terms"
  | "token_name"
  | "ttl"
  | "words";

export interface Problem {
  readonly sentences: readonly string[];
  /** The code of each sentence. */
  readonly codes: readonly string[];
  /** The trace id to report, where the server is at fault. */
  readonly traceId: string | null;
}

/** Describe a failed call. Any other error is a bug of this page. */
export function describeProblem(error: unknown): Problem {
  if (!(error instanceof ApiError)) {
    return { sentences: [sentence("generic_500")], codes: [""], traceId: null };
  }
  return {
    sentences: error.codes.map((code) => withWait(sentence(code), error.retryAfter, error.status)),
    codes: error.codes,
    traceId: error.isServerFault && !hasCode(error, "unreachable") ? error.traceId : null,
  };
}

/** Whether a code is about one of some fields. */
export function isAbout(code: string | undefined, fields: readonly FieldName[]): boolean {
  return fields.some((name) => code?.startsWith(`${name}_`));
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
