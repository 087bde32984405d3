/**
 * The only module that uses the network.
 *
 * Every call is a span of a trace (`traceparent`), has a timeout, can be aborted, sends the access
 * token if there is one, and fails with an `ApiError` whatever the cause. Tokens are renewed
 * before they expire, once for all calls that need one.
 */

import { observeDate } from "../clock";
import { type Context, currentCause, hex, newContext, observeCall } from "../telemetry/trace";
import { end, enter, getSession, viewerUuid } from "./session";
import type { Answer, Code, Input, Method, PathOf, SignedIn } from "./wire";

/** The codes of failures that this page detects itself. */
export type OwnCode =
  | "unreachable"
  | "timed_out"
  | "passkey_cancelled"
  | "passkey_elsewhere"
  | "passkey_known"
  | "passkey_unsupported";

export type AnyCode = Code | OwnCode;

/** A failed call. `status` is 0 if there was no response; `retryAfter` is in seconds. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly codes: readonly string[];
  readonly traceId: string;
  readonly retryAfter: number | null;

  constructor(
    status: number,
    codes: readonly string[],
    traceId: string,
    retryAfter: number | null = null,
  ) {
    super(`${status} ${codes.join(", ")}`);
    this.status = status;
    this.codes = codes;
    this.traceId = traceId;
    this.retryAfter = retryAfter;
  }

  /** Whether the server or the network is at fault, so that the same call may succeed later. */
  get isServerFault(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/**
 * Options of every call. `seconds` is the timeout; `wantsPosition` asks for `Page.position`;
 * `fetch` sends the request in another way (`api/upload.ts`).
 */
export interface Common {
  signal?: AbortSignal;
  idempotencyKey?: string;
  seconds?: number;
  wantsPosition?: boolean;
  fetch?: typeof fetch;
}

/** One page of a list; `next` is the cursor of the following page. */
export interface Page<T> {
  readonly body: T;
  readonly next: string | null;
  /** The id of the event after which a stream sends all that the page does not show yet. */
  readonly position?: string | undefined;
}

const SECONDS = 15;
/** The path that authenticates with the cookie instead of a token. */
const REFRESH = "/api/auth/refresh";
const STREAM = "/api/stream";

/**
 * Call the backend.
 *
 * @throws {ApiError} the server rejected it, failed, or did not respond in time.
 * @throws {DOMException} `AbortError`: `signal` was aborted.
 */
export async function call<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  input: Input<M, P> & Common,
): Promise<Answer<M, P>> {
  return (await page(method, path, input)).body;
}

/** Call the backend for one page of a list, with the cursor of its `Link` header. */
export async function page<M extends Method, P extends PathOf<M>>(
  method: M,
  path: P,
  input: Input<M, P> & Common,
): Promise<Page<Answer<M, P>>> {
  const trace = newTrace();
  const received = await asViewer(trace, (token) => send(method, path, input, token, trace));
  const body = read<Answer<M, P>>(received, trace);
  const { headers } = received;
  const position = headers.get("Event-Position") ?? undefined;
  return { body, next: nextCursor(headers.get("Link")), position };
}

/**
 * Read the event stream until the server or `signal` ends it. There is no timeout: the caller
 * decides how long a stream may stay silent.
 *
 * @param lastEventId the last event received, to resume after it; empty for none.
 * @returns the bytes of a `text/event-stream`, chunk by chunk.
 * @param feed restricts the stream to what the member follows.
 * @throws {ApiError} the server rejected it, or the connection was lost.
 * @throws {DOMException} `AbortError`: `signal` was aborted.
 */
export async function* listen(
  lastEventId: string,
  signal: AbortSignal,
  feed?: "following",
): AsyncGenerator<Uint8Array, void> {
  const trace = newTrace();
  const input = { signal, lastEventId, seconds: Number.POSITIVE_INFINITY };
  const path = feed === undefined ? STREAM : `${STREAM}?feed=${feed}`;
  const received = await asViewer(trace, (token) => send("get", path, input, token, trace));
  const reader = streamOf(received, trace).getReader();
  for (;;) {
    const part = await reader.read().catch((error: unknown) => {
      throw signal.aborted ? error : unreachable(trace);
    });
    if (part.done) {
      return;
    }
    yield part.value;
  }
}

/**
 * Load a file, or a part of it, as the current viewer, however long it takes.
 *
 * @throws {ApiError} the server rejected it, or the connection was lost.
 */
export async function download(
  path: PathOf<"get">,
  query: { cursor?: string },
): Promise<Page<Blob>> {
  const trace = newTrace();
  const input = { seconds: Number.POSITIVE_INFINITY, query };
  const received = await asViewer(trace, (token) => send("get", path, input, token, trace));
  const body = await new Response(streamOf(received, trace)).blob().catch(() => {
    throw unreachable(trace);
  });
  return { body, next: nextCursor(received.headers.get("Link")) };
}

/** Return the body of a response that is not read as text. */
function streamOf(received: Received, trace: Trace): ReadableStream<Uint8Array> {
  if (received.stream === undefined) {
    read(received, trace); // throws if it is an error
    throw unreachable(trace);
  }
  return received.stream;
}

/** Make a call as the current viewer; retry once with a new token if the token is rejected. */
async function asViewer(
  trace: Trace,
  attempt: (token: string | null) => Promise<Received>,
): Promise<Received> {
  const caller = viewerUuid();
  const token = await accessToken();
  requireSame(caller, trace);
  const received = await attempt(token);
  if (received.status === 401 && token !== null && isAboutToken(received)) {
    // The session was ended, or the signing keys have changed: retry once with a new token.
    const renewed = await renew(token);
    requireSame(caller, trace);
    if (renewed !== null) {
      return attempt(renewed);
    }
  }
  return received;
}

/** Reject a call that one member started if another has signed in since. */
function requireSame(caller: string | null | undefined, trace: Trace): void {
  const viewer = viewerUuid();
  if (caller !== undefined && viewer !== caller && typeof viewer === "string") {
    const code: Code = "generic_401";
    throw new ApiError(401, [code], trace.id);
  }
}

let renewal: Promise<string | null> | null = null;

/** Return a token that is valid for the next call, or null for a visitor. */
async function accessToken(): Promise<string | null> {
  const session = getSession();
  if (session.phase === "out") {
    return null;
  }
  return session.phase === "in" && Date.now() < session.staleAt ? session.token : renew(null);
}

/**
 * Restore the session from the refresh cookie, if this browser was signed in before.
 *
 * @throws {ApiError} the backend did not respond or failed.
 */
export async function restore(): Promise<void> {
  await accessToken();
}

/** Exchange the cookie for a token, once for all concurrent callers. */
function renew(refused: string | null): Promise<string | null> {
  const session = getSession();
  if (session.phase === "out") {
    return Promise.resolve(null); // the member signed out in the meantime
  }
  if (refused !== null && session.phase === "in" && session.token !== refused) {
    return Promise.resolve(session.token); // another call has renewed it
  }
  renewal ??= exchange().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function exchange(): Promise<string | null> {
  const trace = newTrace();
  const caller = viewerUuid();
  const received = await send("post", REFRESH, {}, null, trace);
  if (viewerUuid() !== caller) {
    // A user signed in or out in the meantime: that session is the newer one.
    const session = getSession();
    return session.phase === "in" ? session.token : null;
  }
  if (received.status === 401) {
    end();
    return null;
  }
  const answer: SignedIn = read(received, trace);
  enter(answer);
  return answer.access_token;
}

/** The trace of a call, whose requests are spans with the same cause. */
interface Trace {
  readonly id: string;
  readonly cause: Context | undefined;
}

function newTrace(): Trace {
  const cause = currentCause();
  return { id: cause?.trace ?? hex(16), cause };
}

interface Sent extends Common {
  path?: unknown;
  query?: unknown;
  body?: unknown;
  /** Set for the event stream: the event to resume after. */
  lastEventId?: string;
}

interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body of an event stream or a file. */
  readonly stream?: ReadableStream<Uint8Array>;
}

async function send(
  method: Method,
  path: string,
  input: Sent,
  token: string | null,
  trace: Trace,
): Promise<Received> {
  const { body, lastEventId, seconds = SECONDS } = input;
  const accepted = lastEventId === undefined ? "application/json" : EVENTS;
  const context = newContext(trace.id);
  const traceparent = `00-${context.trace}-${context.span}-01`;
  const headers = new Headers({ Accept: accepted, traceparent });
  if (token !== null) {
    headers.set("Authorization", `Bearer ${token}`);
  }
  if (input.idempotencyKey !== undefined) {
    headers.set("Idempotency-Key", input.idempotencyKey);
  }
  if (input.wantsPosition) {
    headers.set("Prefer", "event-position");
  }
  if (lastEventId) {
    headers.set("Last-Event-ID", lastEventId);
  }
  const isRaw = body instanceof Blob;
  if (body !== undefined) {
    headers.set("Content-Type", isRaw ? body.type : "application/json");
  }
  const limit = Number.isFinite(seconds) ? [AbortSignal.timeout(seconds * 1000)] : [];
  const sentAt = Date.now();
  const verb = method.toUpperCase();
  const url = address(path, input.path, input.query);
  const call = { context, cause: trace.cause, method: verb, template: path, path: url };
  const endCall = observeCall(call);
  try {
    const response = await (input.fetch ?? fetch)(url, {
      method: verb,
      headers,
      body: body === undefined ? null : isRaw ? body : JSON.stringify(body),
      signal: AbortSignal.any(input.signal ? [input.signal, ...limit] : limit),
    });
    // A cached response has an old date. With `no-cache` the server was asked; a 304 updates it.
    if (/\bno-(?:store|cache)\b/.test(response.headers.get("Cache-Control") ?? "")) {
      observeDate(response.headers.get("Date"), sentAt, Date.now());
    }
    const { status, body: stream } = response;
    if (stream !== null && STREAMED.test(response.headers.get("Content-Type") ?? "")) {
      endCall(status);
      return { status, headers: response.headers, text: "", stream };
    }
    const text = await response.text();
    endCall(status);
    return { status, headers: response.headers, text };
  } catch (error) {
    if (input.signal?.aborted) {
      endCall(0, "AbortError");
      throw error;
    }
    const failure = limit.some(({ aborted }) => aborted) ? timedOut(trace) : unreachable(trace);
    endCall(0, failure.codes[0]);
    throw failure;
  }
}

/**
 * Send telemetry, also while the page is being closed, and return the status. It is in no trace
 * itself.
 *
 * @throws {TypeError} there was no response.
 */
export async function sendTelemetry(body: string): Promise<number> {
  const path: PathOf<"post"> = "/api/telemetry";
  const headers = { "Content-Type": "application/json" };
  const options = { method: "POST", headers, body, keepalive: true } as const;
  const response = await fetch(path, { ...options, credentials: "omit" });
  await response.text(); // otherwise the request does not end
  return response.status;
}

/** The media type of server-sent events. */
const EVENTS = "text/event-stream";
/** The media types of bodies that are read piece by piece. */
const STREAMED = /event-stream|zip|jsonl|csv/;

function timedOut(trace: Trace): ApiError {
  const code: OwnCode = "timed_out";
  return new ApiError(0, [code], trace.id);
}

function unreachable(trace: Trace): ApiError {
  const code: OwnCode = "unreachable";
  return new ApiError(0, [code], trace.id);
}

function address(template: string, path: unknown, query: unknown): string {
  const values = new Map<string, unknown>(Object.entries(path ?? {}));
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(values.get(name))),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) {
      search.set(name, String(value));
    }
  }
  return search.size > 0 ? `${filled}?${search}` : filled;
}

function read<T>({ status, headers, text }: Received, trace: Trace): T {
  if (status === 200) {
    try {
      return JSON.parse(text);
    } catch {
      throw unreachable(trace); // a captive portal
    }
  }
  const retryAfter = Number.parseInt(headers.get("Retry-After") ?? "", 10);
  const seconds = Number.isNaN(retryAfter) ? null : retryAfter;
  throw new ApiError(status, refusal(status, text), trace.id, seconds);
}

/** The codes of an error. Any other shape of body comes from a proxy in between. */
function refusal(status: number, text: string): readonly string[] {
  try {
    const codes: unknown = JSON.parse(text);
    if (Array.isArray(codes) && codes.length > 0 && codes.every((c) => typeof c === "string")) {
      return codes;
    }
  } catch {
    // Not JSON.
  }
  const code: AnyCode = status >= 500 ? "unavailable" : "unreachable";
  return [code];
}

/** Whether a 401 is about the token, not about a wrong password. */
function isAboutToken({ status, text }: Received): boolean {
  const code: Code = "generic_401";
  return refusal(status, text).includes(code);
}

function nextCursor(link: string | null): string | null {
  const target = link?.match(/<([^>]*)>\s*;\s*rel="?next"?/)?.[1];
  return target ? new URL(target, location.origin).searchParams.get("cursor") : null;
}
