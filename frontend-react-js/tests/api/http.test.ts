import { beforeEach, describe, expect, test, vi } from "vitest";
import type * as Http from "../../src/api/http";
import type * as SessionModule from "../../src/api/session";
import type * as Clock from "../../src/clock";
import { counts, crud, signedIn, uuid, WORF } from "../support/make";
import {
  ok,
  type Reply,
  raw,
  refuse,
  type Server,
  serve,
  silent,
  unfinished,
  unreachable,
} from "../support/server";
import { MINUTE, NOW, pass, SECOND, settle } from "../support/time";

const HOME = "/api/activities/home";
const REFRESH = "/api/auth/refresh";
const MARK = "cruddur.signed-in";

let server: Server;
let http: typeof Http;
let session: typeof SessionModule;
let clock: typeof Clock;

/** Load the modules again, because they keep the session and the clock. */
async function load(): Promise<void> {
  vi.resetModules();
  http = await import("../../src/api/http");
  session = await import("../../src/api/session");
  clock = await import("../../src/clock");
}

/** Load the modules in a browser that was signed in on its last visit. */
async function loadSignedIn(): Promise<void> {
  localStorage.setItem(MARK, WORF.uuid);
  await load();
}

beforeEach(async () => {
  await load();
  server = serve();
});

/** Make some request. */
function ask(common: Http.Common = {}) {
  return http.call("get", HOME, common);
}

/** Return the reason of a rejected promise; fail the test if it resolves. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (answer) => {
      throw new Error(`It did not fail but returned ${JSON.stringify(answer)}`);
    },
    (error: unknown) => error,
  );
}

/** Return the `ApiError` that a promise is rejected with. */
async function refusal(promise: Promise<unknown>): Promise<Http.ApiError> {
  const error = await failure(promise);
  if (!(error instanceof http.ApiError)) {
    throw error;
  }
  return error;
}

function tokens(path: typeof HOME = HOME): (string | null)[] {
  return server.sent("get", path).map(({ headers }) => headers.get("Authorization"));
}

describe("a request", () => {
  test("starts its own trace", async () => {
    server.on("get", HOME, ok([]));
    await ask();
    await ask();
    const parents = server.requests.map(({ headers }) => headers.get("traceparent") ?? "");
    for (const parent of parents) {
      expect(parent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
    }
    const [first, second] = parents.map((parent) => parent.split("-"));
    expect(first?.[1]).not.toBe(second?.[1]);
    expect(first?.[2]).not.toBe(second?.[2]);
  });

  test.each(["worf", "a/b#c?d=e&f", "100%", "%2F", "Qapla’ 😀 ‏שלום", "é", "+ +", "\u0000\n"])(
    "fills %j into the path",
    async (handle) => {
      server.on("get", "/api/users/@{handle}/short", refuse(404, "not_found"));
      await refusal(http.call("get", "/api/users/@{handle}/short", { path: { handle } }));
      const [sent] = server.requests;
      const [, , , name = "", last] = sent?.url.pathname.split("/") ?? [];
      expect(decodeURIComponent(name)).toBe(`@${handle}`);
      expect(last).toBe("short");
      expect(sent?.url.search).toBe("");
      expect(sent?.url.hash).toBe("");
    },
  );

  test.each(["#crud", "a&b=c/d?e", "100% +1", "“two words” -not", "日本語 😀 é"])(
    "puts %j into the query",
    async (term) => {
      server.on("get", "/api/activities/search", ok([]));
      await http.call("get", "/api/activities/search", { query: { term } });
      expect([...(server.requests[0]?.url.searchParams ?? [])]).toEqual([["term", term]]);
    },
  );

  test("replaces a lone surrogate in a query", async () => {
    server.on("get", "/api/activities/search", ok([]));
    await http.call("get", "/api/activities/search", { query: { term: "a\ud83d" } });
    expect(server.requests[0]?.url.searchParams.get("term")).toBe("a\ufffd");
  });

  test("omits query parameters without a value", async () => {
    const absent: unknown = { cursor: null, other: undefined };
    server.on("get", "/api/activities/@{handle}", ok([]));
    const query = { limit: 0, shape: "list" as const, ...(absent as object) };
    await http.call("get", "/api/activities/@{handle}", { path: { handle: "worf" }, query });
    expect(server.requests[0]?.url.search).toBe("?limit=0&shape=list");
  });

  test("has no body, content type or question mark without content", async () => {
    server.on("get", HOME, ok([]));
    await ask();
    const [sent] = server.requests;
    expect(sent?.method).toBe("GET");
    expect(sent?.url.href).toBe("http://localhost:3000/api/activities/home");
    expect(sent?.body).toBeUndefined();
    expect(sent?.headers.has("Content-Type")).toBe(false);
    expect(sent?.headers.get("Accept")).toBe("application/json");
  });

  test("sends its body as JSON", async () => {
    server.on("post", "/api/activities", ok(crud()));
    const body = { message: "“Qapla’” 😀\n", ttl: "1-hour" as const };
    await http.call("post", "/api/activities", { body });
    const [sent] = server.requests;
    expect(sent?.method).toBe("POST");
    expect(sent?.headers.get("Content-Type")).toBe("application/json");
    expect(sent?.body).toEqual(body);
  });

  test("sends a file unchanged, with the file's type", async () => {
    server.on("put", "/api/avatars/uploads/{token}", ok({ avatar_url: "/api/avatars/1" }));
    const file = new File(["picture"], "me.png", { type: "image/png" });
    await http.call("put", "/api/avatars/uploads/{token}", { path: { token: "t" }, body: file });
    const [sent] = server.requests;
    expect(sent?.headers.get("Content-Type")).toBe("image/png");
    expect(sent?.body).toBe(file);
  });

  test("sends the idempotency key", async () => {
    server.on("post", "/api/activities", ok(crud()));
    const body = { message: "Once", ttl: "1-hour" as const };
    await http.call("post", "/api/activities", { body, idempotencyKey: "key-1" });
    await http.call("post", "/api/activities", { body });
    const keys = server.requests.map(({ headers }) => headers.get("Idempotency-Key"));
    expect(keys).toEqual(["key-1", null]);
  });

  test("sends a token only when a member is signed in", async () => {
    server.on("get", HOME, ok([]));
    await ask();
    session.enter(signedIn());
    await ask();
    session.leave();
    await ask();
    expect(tokens()).toEqual([null, "Bearer token-1", null]);
    expect(server.sent("post", REFRESH)).toHaveLength(0);
  });

  test("sets the clock, unless its response may come from a cache", async () => {
    const date = new Date(NOW + 10 * MINUTE).toUTCString();
    const kept = raw(200, "[]", { Date: date, "Cache-Control": "private, max-age=60" });
    server.on(
      "get",
      HOME,
      kept,
      raw(200, "[]", { Date: date, "Cache-Control": "private, no-cache" }),
    );
    await ask();
    expect(clock.serverNow()).toBe(NOW);
    await ask();
    expect(Math.abs(clock.serverNow() - (NOW + 10 * MINUTE))).toBeLessThanOrEqual(SECOND);
  });
});

describe("in a browser that was signed in", () => {
  beforeEach(loadSignedIn);

  test("the first call restores the session", async () => {
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    server.on("get", HOME, ok([crud()]));
    expect(await ask()).toHaveLength(1);
    expect(server.requests.map(({ url }) => url.pathname)).toEqual([REFRESH, HOME]);
    expect(tokens()).toEqual(["Bearer token-2"]);
    expect(session.getSession()).toMatchObject({ phase: "in", user: WORF });
  });

  test("the refresh request has no token, and its own trace", async () => {
    server.on("post", REFRESH, ok(signedIn()));
    server.on("get", HOME, ok([]));
    await ask();
    const [refresh, home] = server.requests;
    expect(refresh?.headers.has("Authorization")).toBe(false);
    expect(refresh?.body).toBeUndefined();
    expect(refresh?.headers.get("traceparent")).not.toBe(home?.headers.get("traceparent"));
  });

  test("concurrent calls wait for one refresh", async () => {
    const refresh = server.hold("post", REFRESH);
    server.on("get", HOME, ok([]));
    const asked = Promise.all([ask(), ask(), ask(), http.restore()]);
    await settle();
    expect(server.requests).toHaveLength(1);
    refresh.release(ok(signedIn()));
    await asked;
    expect(server.sent("post", REFRESH)).toHaveLength(1);
    expect(tokens()).toEqual(Array(3).fill("Bearer token-1"));
  });

  test("one of them can be aborted without the others", async () => {
    const refresh = server.hold("post", REFRESH);
    server.on("get", HOME, ok([]));
    const controller = new AbortController();
    const error = failure(ask({ signal: controller.signal }));
    const other = ask();
    await settle();
    controller.abort();
    refresh.release(ok(signedIn()));
    expect(await other).toEqual([]);
    expect(await error).toMatchObject({ name: "AbortError" });
    expect(tokens()).toEqual(["Bearer token-1"]);
  });

  test("an expired cookie ends the session, and the call continues as a visitor's", async () => {
    server.on("post", REFRESH, refuse(401, "generic_401"));
    server.on("get", HOME, ok([crud()]));
    expect(await ask()).toHaveLength(1);
    expect(tokens()).toEqual([null]);
    expect(session.getSession()).toEqual({ phase: "out", wasEnded: true });
    expect(localStorage.getItem(MARK)).toBeNull();
    await ask();
    expect(server.sent("post", REFRESH)).toHaveLength(1);
  });

  test.each([
    ["no network", unreachable(), 0, "unreachable"],
    ["a server that is not ready", refuse(503, "unavailable"), 503, "unavailable"],
    ["a captive portal", raw(200, "<html>"), 0, "unreachable"],
    ["too many attempts", refuse(429, "rate_limited"), 429, "rate_limited"],
  ])(
    "%s leaves the session undecided, and the next call tries again",
    async (_, reply, status, code) => {
      server.on("post", REFRESH, reply, ok(signedIn()));
      server.on("get", HOME, ok([]));
      const error = await refusal(ask());
      expect(error).toMatchObject({ status, codes: [code] });
      expect(session.getSession()).toEqual({ phase: "restoring" });
      expect(localStorage.getItem(MARK)).toBe(WORF.uuid);
      expect(tokens()).toEqual([]);
      expect(await ask()).toEqual([]);
      expect(session.getSession().phase).toBe("in");
    },
  );

  test("a server that does not respond leaves the session undecided too", async () => {
    server.on("post", REFRESH, silent());
    const errors = Promise.all([refusal(ask()), refusal(http.restore())]);
    await pass(15 * SECOND);
    expect((await errors).map(({ codes }) => codes)).toEqual([["timed_out"], ["timed_out"]]);
    expect(session.getSession()).toEqual({ phase: "restoring" });
  });
});

describe("a token", () => {
  beforeEach(() => session.enter(signedIn()));

  test("is renewed before it expires", async () => {
    server.on("get", HOME, ok([]));
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    await pass(870 * SECOND - 1);
    await ask();
    expect(server.sent("post", REFRESH)).toHaveLength(0);
    await pass(1);
    await Promise.all([ask(), ask()]);
    expect(server.sent("post", REFRESH)).toHaveLength(1);
    expect(tokens()).toEqual(["Bearer token-1", "Bearer token-2", "Bearer token-2"]);
  });

  test("that is rejected is renewed once, and the call repeated", async () => {
    server.on("post", "/api/activities", refuse(401, "generic_401"), ok(crud()));
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    const body = { message: "Twice", ttl: "1-hour" as const };
    await http.call("post", "/api/activities", { body, idempotencyKey: "key-1" });
    const [first, second] = server.sent("post", "/api/activities");
    expect(second?.headers.get("Authorization")).toBe("Bearer token-2");
    expect(second?.headers.get("Idempotency-Key")).toBe("key-1");
    expect(second?.body).toEqual(first?.body);
  });

  test("that is rejected twice is an error", async () => {
    server.on("get", HOME, refuse(401, "generic_401"));
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    expect(await refusal(ask())).toMatchObject({ status: 401, codes: ["generic_401"] });
    expect(tokens()).toEqual(["Bearer token-1", "Bearer token-2"]);
    expect(server.sent("post", REFRESH)).toHaveLength(1);
  });

  test("that is rejected for several calls is renewed once", async () => {
    const refused = refuse(401, "generic_401");
    server.on("get", HOME, refused, refused, refused, ok([]));
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    await Promise.all([ask(), ask(), ask()]);
    expect(server.sent("post", REFRESH)).toHaveLength(1);
    expect(tokens().slice(3)).toEqual(Array(3).fill("Bearer token-2"));
  });

  test("that another call has already renewed is not renewed again", async () => {
    const home = server.hold("get", HOME);
    server.on("get", "/api/trending", refuse(401, "generic_401"), ok([]));
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    const late = ask();
    await http.call("get", "/api/trending", {});
    home.release(refuse(401, "generic_401"));
    await settle();
    home.release(ok([]));
    expect(await late).toEqual([]);
    expect(server.sent("post", REFRESH)).toHaveLength(1);
    expect(tokens()).toEqual(["Bearer token-1", "Bearer token-2"]);
  });

  test("is not renewed after a wrong password", async () => {
    server.on("put", "/api/auth/password", refuse(401, "credentials_invalid"));
    const body = { current_password: "wrong", password: "here-today-gone" };
    const error = await refusal(http.call("put", "/api/auth/password", { body }));
    expect(error.codes).toEqual(["credentials_invalid"]);
    expect(server.requests).toHaveLength(1);
    expect(session.getSession().phase).toBe("in");
  });

  test("whose session has ended is not renewed again", async () => {
    server.on("get", HOME, refuse(401, "generic_401"), ok([crud()]));
    server.on("post", REFRESH, refuse(401, "generic_401"));
    const error = await refusal(ask());
    expect(error.codes).toEqual(["generic_401"]);
    expect(tokens()).toEqual(["Bearer token-1"]);
    expect(session.getSession()).toEqual({ phase: "out", wasEnded: true });
  });

  test("is kept when it cannot be renewed at the moment", async () => {
    server.on("get", HOME, refuse(401, "generic_401"));
    server.on("post", REFRESH, unreachable());
    expect(await refusal(ask())).toMatchObject({ status: 0, codes: ["unreachable"] });
    expect(session.getSession().phase).toBe("in");
  });
});

describe("a call of one member", () => {
  const LONDO = { ...WORF, uuid: uuid(2), handle: "londo" };
  beforeEach(() => session.enter(signedIn()));

  test("requests no token after the member has signed out", async () => {
    const answer = server.hold("get", HOME);
    const refused = refusal(ask());
    await settle();
    session.leave();
    answer.release(refuse(401, "generic_401"));
    expect((await refused).codes).toEqual(["generic_401"]);
    expect(server.requests).toHaveLength(1);
  });

  test("does not sign in again a member who signed out during the renewal", async () => {
    const refresh = server.hold("post", REFRESH);
    server.on("get", HOME, ok([]));
    await pass(15 * MINUTE);
    const asked = ask();
    await settle();
    session.leave();
    refresh.release(ok(signedIn(WORF, "token-2")));
    await asked;
    expect(tokens()).toEqual([null]);
    expect(session.getSession().phase).toBe("out");
  });

  test("does not end the session of a member who signed in during the renewal", async () => {
    const refresh = server.hold("post", REFRESH);
    server.on("get", HOME, ok([]));
    await pass(15 * MINUTE);
    const refused = refusal(ask());
    await settle();
    session.enter(signedIn(LONDO, "token-2"));
    refresh.release(refuse(401, "generic_401"));
    expect((await refused).codes).toEqual(["generic_401"]);
    expect(session.getSession()).toMatchObject({ phase: "in", token: "token-2" });
  });
});

test("a visitor's rejected call is not repeated with the cookie", async () => {
  server.on("get", "/api/message_groups", refuse(401, "generic_401"));
  const error = await refusal(http.call("get", "/api/message_groups", {}));
  expect(error).toMatchObject({ status: 401, codes: ["generic_401"] });
  expect(server.requests).toHaveLength(1);
});

describe("a failure", () => {
  test("has the status, the codes and the trace id of the request", async () => {
    server.on("get", HOME, refuse(422, ["limit_invalid", "cursor_invalid"]));
    const error = await refusal(ask());
    expect(error).toMatchObject({
      name: "ApiError",
      status: 422,
      codes: ["limit_invalid", "cursor_invalid"],
      retryAfter: null,
      isServerFault: false,
    });
    const [, trace] = server.requests[0]?.headers.get("traceparent")?.split("-") ?? [];
    expect(error.traceId).toBe(trace);
  });

  const failures: [string, Reply<never>, number, string][] = [
    ["no network", unreachable(), 0, "unreachable"],
    ["a gateway's error page", raw(502, "<html>Bad gateway</html>"), 502, "unavailable"],
    ["a gateway's empty response", raw(504, ""), 504, "unavailable"],
    ["an error in another shape", raw(500, '{"error": "generic_500"}'), 500, "unavailable"],
    ["an error without a code", raw(500, "[]"), 500, "unavailable"],
    ["an error of our server", refuse(500, "generic_500"), 500, "generic_500"],
    ["a page instead of JSON", raw(200, "<html>Sign in</html>"), 0, "unreachable"],
    ["an empty success", raw(200, ""), 0, "unreachable"],
    ["a truncated success", raw(200, '[{"uuid": '), 0, "unreachable"],
  ];
  test.each(failures)("%s is not the caller's fault", async (_, reply, status, code) => {
    server.on("get", HOME, reply);
    expect(await refusal(ask())).toMatchObject({ status, codes: [code], isServerFault: true });
  });

  test.each([
    ["a proxy's page", raw(403, "<html>Blocked</html>")],
    ["a number", raw(403, "[403]")],
    ["a mixed list", raw(403, '["generic_403", 1]')],
    ["a word", raw(403, '"generic_403"')],
    ["nothing", raw(403, "null")],
  ])("%s in an error body is not taken for a code", async (_, reply) => {
    server.on("get", HOME, reply);
    expect(await refusal(ask())).toMatchObject({ status: 403, codes: ["unreachable"] });
  });

  test.each([
    ["7", 7],
    ["0", 0],
    ["Wed, 25 Nov 2026 12:00:07 GMT", null],
    ["soon", null],
  ])("may have a Retry-After: %j", async (header, seconds) => {
    server.on("get", HOME, refuse(429, "rate_limited", { "Retry-After": header }));
    expect((await refusal(ask())).retryAfter).toBe(seconds);
  });
});

describe("a call that takes too long", () => {
  test.each([
    ["by default", {}, 15],
    ["after its own timeout", { seconds: 120 }, 120],
  ])("is aborted %s", async (_, common, seconds) => {
    server.on("get", HOME, silent());
    let isSettled = false;
    const error = refusal(ask(common)).finally(() => {
      isSettled = true;
    });
    await pass(seconds * SECOND - 1);
    expect(isSettled).toBe(false);
    await pass(1);
    expect(await error).toMatchObject({ status: 0, codes: ["timed_out"], isServerFault: true });
  });

  test("is aborted in the middle of its response too", async () => {
    server.on("get", HOME, unfinished('[{"uuid":'));
    const error = refusal(ask());
    await pass(15 * SECOND);
    expect((await error).codes).toEqual(["timed_out"]);
  });
});

describe("a call that its caller aborts", () => {
  const cases: [string, Reply<never>][] = [
    ["before the response", silent()],
    ["during the response", unfinished("[")],
  ];
  test.each(cases)("%s fails with an AbortError", async (_, reply) => {
    server.on("get", HOME, reply);
    const controller = new AbortController();
    const error = failure(ask({ signal: controller.signal }));
    await settle();
    expect(server.requests).toHaveLength(1);
    controller.abort();
    await settle();
    expect(await error).toBeInstanceOf(DOMException);
    expect(await error).toMatchObject({ name: "AbortError" });
    expect(server.requests[0]?.signal?.aborted).toBe(true);
  });

  test("before it starts does not reach the network", async () => {
    const error = failure(ask({ signal: AbortSignal.abort() }));
    expect(await error).toMatchObject({ name: "AbortError" });
    expect(server.requests).toHaveLength(0);
  });
});

describe("the next page of a list", () => {
  test.each([
    ["is null without a header", null, null],
    ["is null in a header about something else", '</docs>; rel="help"', null],
    ["is found by its cursor", '</api/activities/home?cursor=AbC_-9>; rel="next"', "AbC_-9"],
    [
      "is found among other parameters",
      '</api/activities/search?term=%23a%26b&limit=2&cursor=AbC>; rel="next"',
      "AbC",
    ],
    ["is found in an absolute URL", '<https://cruddur.com/x?cursor=AbC>; rel="next"', "AbC"],
    ["is found without quotes", "</x?cursor=AbC>;rel=next", "AbC"],
    [
      "is found among other links",
      '</x?cursor=before>; rel="prev", </x?cursor=after>; rel="next"',
      "after",
    ],
    ["is null if the link has no cursor", '</api/activities/home>; rel="next"', null],
  ])("%s", async (_, link, next) => {
    server.on("get", HOME, raw(200, "[]", link === null ? {} : { Link: link }));
    expect(await http.page("get", HOME, {})).toEqual({ body: [], next });
  });

  test("is requested with that cursor", async () => {
    server.on("get", HOME, ok([crud()], { next: "more" }), ok([crud({ uuid: uuid(101) })]));
    const { next } = await http.page("get", HOME, {});
    await http.page("get", HOME, { query: { cursor: next ?? "" } });
    expect(server.requests[1]?.url.search).toBe("?cursor=more");
  });
});

test("a call returns the body of the response", async () => {
  server.on("put", "/api/activities/{uuid}/like", ok(counts({ likes_count: 3, liked: true })));
  const path = { uuid: uuid(100) };
  const answer = await http.call("put", "/api/activities/{uuid}/like", { path });
  expect(answer).toEqual(counts({ likes_count: 3, liked: true }));
});
