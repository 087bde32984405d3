import { describe, expect, test } from "vitest";
import { ApiError } from "../../src/api/http";
import schema from "../../src/api/schema.ts?raw";
import { describeProblem, hasCode } from "../../src/text/errors";
import sentences from "../../src/text/sentences.json";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
/** What the page itself finds out. */
const OWN = ["timed_out", "unreachable"];

function failed(status: number, code: string | string[], retryAfter: number | null = null) {
  return new ApiError(status, typeof code === "string" ? [code] : code, TRACE, retryAfter);
}

/** The codes that the OpenAPI document has in its refusals. */
function documentedCodes(): string[] {
  const lists = schema.matchAll(/"application\/json": readonly \(?((?:"\w+"(?: \| )?)+)\)?\[\];/g);
  const codes = [...lists].flatMap(([, list = ""]) => list.match(/\w+/g) ?? []);
  return [...new Set(codes)].sort();
}

describe("the sentences", () => {
  test("are those of the backend's codes, each and no other", () => {
    const anywhere = "method_not_allowed"; // a code that no path of its own has
    expect(documentedCodes().length).toBeGreaterThan(40);
    expect(Object.keys(sentences)).toEqual([...documentedCodes(), anywhere].sort());
  });

  test.each([...Object.keys(sentences), ...OWN])("say what %s means, in words", (code) => {
    const [sentence = "", ...more] = describeProblem(failed(422, code)).sentences;
    expect(more).toEqual([]);
    expect(sentence).toMatch(/^[A-Z].*[.?!]$/);
    expect(sentence).not.toMatch(/\w_\w/);
    expect(sentence).not.toContain(code);
  });

  test("say of a code that is not known what it is called", () => {
    expect(describeProblem(failed(422, "new_rule")).sentences).toEqual([
      "Cruddur refused it (new_rule).",
    ]);
  });

  test("are as many as the codes", () => {
    expect(describeProblem(failed(422, ["message_blank", "ttl_blank"])).sentences).toEqual([
      sentences.message_blank,
      sentences.ttl_blank,
    ]);
  });

  test.each([
    [1, "It takes a minute."],
    [60, "It takes a minute."],
    [61, "It takes 2 minutes."],
    [900, "It takes 15 minutes."],
  ])("say how long to wait: %i s", (seconds, words) => {
    expect(describeProblem(failed(429, "rate_limited", seconds)).sentences).toEqual([
      `${sentences.rate_limited} ${words}`,
    ]);
  });

  test("say nothing of waiting where that is not known, or not the reason", () => {
    expect(describeProblem(failed(429, "rate_limited")).sentences).toEqual([
      sentences.rate_limited,
    ]);
    expect(describeProblem(failed(503, "unavailable", 5)).sentences).toEqual([
      sentences.unavailable,
    ]);
  });

  test.each([new TypeError("x is undefined"), "thrown", undefined])(
    "take whatever else was thrown for a fault of ours: %s",
    (error) => {
      expect(describeProblem(error)).toEqual({
        sentences: [sentences.generic_500],
        field: null,
        traceId: null,
      });
    },
  );
});

describe("the field", () => {
  test.each([
    ["bio_exceed_max_chars", "bio"],
    ["code_invalid", "code"],
    ["current_password_blank", "current_password"],
    ["display_name_blank", "display_name"],
    ["email_unconfirmed", "email"],
    ["handle_taken", "handle"],
    ["message_exceed_max_chars_1024", "message"],
    ["password_too_weak", "password"],
    ["search_term_blank", "search_term"],
    ["ttl_blank", "ttl"],
    ["credentials_invalid", null],
    ["generic_500", null],
    ["not_found", null],
    ["rate_limited", null],
    ["user_receiver_handle_invalid", null],
    ["biography_blank", null],
  ])("of %s is %s", (code, field) => {
    expect(describeProblem(failed(422, code)).field).toBe(field);
  });

  test("is that of the first code", () => {
    const { field } = describeProblem(failed(422, ["handle_invalid", "email_invalid"]));
    expect(field).toBe("handle");
  });

  test("of a failure without codes is none", () => {
    expect(describeProblem(failed(422, []))).toMatchObject({ sentences: [], field: null });
  });
});

describe("the trace", () => {
  test.each([
    [500, "generic_500"],
    [502, "unavailable"],
    [503, "unavailable"],
    [0, "timed_out"],
  ])("is told where the fault is the server's: %i %s", (status, code) => {
    expect(describeProblem(failed(status, code)).traceId).toBe(TRACE);
  });

  test.each([
    [0, "unreachable"],
    [401, "generic_401"],
    [404, "not_found"],
    [422, "message_blank"],
    [429, "rate_limited"],
  ])("is not told where there is none, or nothing in it: %i %s", (status, code) => {
    expect(describeProblem(failed(status, code)).traceId).toBeNull();
  });
});

test("a code is known among others, and only in a refusal", () => {
  expect(hasCode(failed(422, ["handle_taken", "not_found"]), "not_found")).toBe(true);
  expect(hasCode(failed(404, "not_found"), "handle_taken")).toBe(false);
  expect(hasCode(new Error("not_found"), "not_found")).toBe(false);
  expect(hasCode(null, "not_found")).toBe(false);
});
