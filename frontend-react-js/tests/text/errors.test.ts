import { describe, expect, test } from "vitest";
import { ApiError } from "../../src/api/http";
import schema from "../../src/api/schema.ts?raw";
import { de } from "../../src/language/de";
import { errors as firstErrors } from "../../src/language/en/errors";
import { moreErrors } from "../../src/language/en/moreErrors";
import "../../src/language/further"; // adds its sentences
import { describeProblem, type FieldName, hasCode, isAbout } from "../../src/text/errors";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
/** The codes that the page itself detects. */
const OWN = [
  "passkey_cancelled",
  "passkey_elsewhere",
  "passkey_known",
  "passkey_unsupported",
  "timed_out",
  "unreachable",
];
/** All sentences, in English and German. */
const errors = { ...firstErrors, ...moreErrors };
const german = { ...de.first.errors, ...de.further.moreErrors };

function failed(status: number, code: string | string[], retryAfter: number | null = null) {
  return new ApiError(status, typeof code === "string" ? [code] : code, TRACE, retryAfter);
}

/** The error codes in the OpenAPI document. */
function documentedCodes(): string[] {
  const lists = schema.matchAll(/"application\/json": readonly \(?((?:"\w+"(?: \| )?)+)\)?\[\];/g);
  const codes = [...lists].flatMap(([, list = ""]) => list.match(/\w+/g) ?? []);
  return [...new Set(codes)].sort();
}

describe("the sentences", () => {
  test("cover exactly the backend's codes", () => {
    const anywhere = "method_not_allowed"; // a code that belongs to no single path
    expect(documentedCodes().length).toBeGreaterThan(40);
    expect(Object.keys(errors).sort()).toEqual([...documentedCodes(), anywhere, ...OWN].sort());
  });

  test.each([...Object.entries(errors), ...Object.entries(german)])(
    "describe %s in words: %s",
    (code, sentence) => {
      expect(sentence).toMatch(/^[A-ZÄÖÜ].*[.?!]$/);
      expect(sentence).not.toMatch(/\w_\w/);
      expect(sentence).not.toContain(code);
    },
  );

  test("show the name of an unknown code", () => {
    expect(describeProblem(failed(422, "new_rule")).sentences).toEqual([
      "That didn’t work (new_rule).",
    ]);
  });

  test("cover every code of an error", () => {
    expect(describeProblem(failed(422, ["message_blank", "ttl_blank"])).sentences).toEqual([
      errors.message_blank,
      errors.ttl_blank,
    ]);
  });

  test.each([
    [1, "Try again in a minute."],
    [60, "Try again in a minute."],
    [61, "Try again in 2 minutes."],
    [900, "Try again in 15 minutes."],
    [null, "Try again later."],
  ])("say how long to wait: %s s", (seconds, words) => {
    expect(describeProblem(failed(429, "rate_limited", seconds)).sentences).toEqual([
      `${errors.rate_limited} ${words}`,
    ]);
  });

  test("do not mention a wait for other errors", () => {
    expect(describeProblem(failed(503, "unavailable", 5)).sentences).toEqual([errors.unavailable]);
  });

  test.each([new TypeError("x is undefined"), "thrown", undefined])(
    "treat any other error as our fault: %s",
    (error) => {
      expect(describeProblem(error)).toEqual({
        sentences: [errors.generic_500],
        codes: [""],
        traceId: null,
      });
    },
  );
});

describe("a code", () => {
  test.each<[string, FieldName[]]>([
    ["bio_exceed_max_chars", ["bio"]],
    ["code_invalid", ["email", "code"]],
    ["current_password_blank", ["current_password"]],
    ["display_name_blank", ["display_name"]],
    ["max_ttl_invalid", ["max_ttl"]],
    ["message_exceed_max_chars_1024", ["message"]],
  ])("%s is about one of %j", (code, fields) => {
    expect(isAbout(code, fields)).toBe(true);
  });

  test.each<[string, FieldName[]]>([
    ["current_password_blank", ["password"]],
    ["display_name_blank", ["name"]],
    ["biography_blank", ["bio"]],
    ["rate_limited", ["email", "password"]],
    ["", ["email"]],
  ])("%s is not about one of %j", (code, fields) => {
    expect(isAbout(code, fields)).toBe(false);
  });

  test("is that of its sentence", () => {
    const { codes } = describeProblem(failed(422, ["handle_invalid", "not_found"]));
    expect(codes).toEqual(["handle_invalid", "not_found"]);
  });

  test("is missing in an error without codes", () => {
    expect(describeProblem(failed(422, []))).toMatchObject({ sentences: [], codes: [] });
  });
});

describe("the trace", () => {
  test.each([
    [500, "generic_500"],
    [502, "unavailable"],
    [503, "unavailable"],
    [0, "timed_out"],
  ])("is shown if the server is at fault: %i %s", (status, code) => {
    expect(describeProblem(failed(status, code)).traceId).toBe(TRACE);
  });

  test.each([
    [0, "unreachable"],
    [401, "generic_401"],
    [404, "not_found"],
    [422, "message_blank"],
    [429, "rate_limited"],
  ])("is not shown otherwise: %i %s", (status, code) => {
    expect(describeProblem(failed(status, code)).traceId).toBeNull();
  });
});

test("hasCode finds a code among others, and only in an ApiError", () => {
  expect(hasCode(failed(422, ["handle_taken", "not_found"]), "not_found")).toBe(true);
  expect(hasCode(failed(404, "not_found"), "handle_taken")).toBe(false);
  expect(hasCode(new Error("not_found"), "not_found")).toBe(false);
  expect(hasCode(null, "not_found")).toBe(false);
});
