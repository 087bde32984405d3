/**
 * The backend, as a stub of `fetch`: it returns the responses that a test sets, in the backend's
 * own shape. A request without a response fails the test.
 *
 *     const server = serve();
 *     server.on("get", "/api/activities/home", ok([crud()], { next: "more" }));
 *     server.on("put", "/api/activities/{uuid}/like", refuse(404, "not_found"), ok(counts()));
 *     const post = server.hold("post", "/api/activities");
 *     ...
 *     post.release(ok(crud()));
 *     expect(server.sent("post", "/api/activities")).toHaveLength(1);
 */

import { vi } from "vitest";
import { getSession } from "../../src/api/session";
import type { Answer, Code, Method, PathOf } from "../../src/api/wire";
import { instance } from "./make";

/** Requests of the current test that had no response. */
export const strays: string[] = [];

/** A received request. A JSON body is parsed; any other body is unchanged. */
export interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: unknown;
  readonly signal: AbortSignal | null;
}

/** Creates a response. `T` is the body of a success. */
export interface Reply<out T> {
  (sent: Sent): Response | Promise<Response>;
  readonly holds?: T;
}

interface Route {
  readonly method: string;
  readonly template: string;
  readonly pattern: RegExp;
  readonly replies: Reply<unknown>[];
}

/** A success. `next` is the cursor of the next page. */
export function ok<T>(body: T, { next }: { next?: string } = {}): Reply<T> {
  return ({ url }) => {
    const headers = new Headers();
    if (next !== undefined) {
      const query = new URLSearchParams(url.search);
      query.set("cursor", next);
      headers.set("Link", `<${url.pathname}?${query}>; rel="next"`);
    }
    return respond(200, JSON.stringify(body), headers);
  };
}

/** An error with its codes. */
export function refuse(
  status: number,
  code: Code | readonly string[],
  headers?: HeadersInit,
): Reply<never> {
  const codes = typeof code === "string" ? [code] : code;
  return () => respond(status, JSON.stringify(codes), headers);
}

/** Any other response. */
export function raw(status: number, body: BodyInit, headers?: HeadersInit): Reply<never> {
  return () => respond(status, body, headers);
}

/** A network failure. */
export function unreachable(): Reply<never> {
  return () => Promise.reject(new TypeError("Failed to fetch"));
}

/** A request without a response. */
export function silent(): Reply<never> {
  return () => new Promise(() => undefined);
}

/** A response whose body starts and never ends. */
export function unfinished(beginning: string, headers?: HeadersInit): Reply<never> {
  return ({ signal }) => {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(beginning));
        signal?.addEventListener("abort", () => controller.error(signal.reason));
      },
    });
    return respond(200, stream, headers);
  };
}

/** A file. */
export function file(content: string, type: string): Reply<never> {
  return () => respond(200, content, { "Content-Type": type });
}

/** Responses that wait until the test releases them, in the order of the requests. */
export class Held<T> {
  readonly #waiting: ((reply: Reply<T>) => void)[] = [];

  readonly reply: Reply<T> = async (sent) => {
    const reply = await new Promise<Reply<T>>((resolve) => this.#waiting.push(resolve));
    return reply(sent);
  };

  get count(): number {
    return this.#waiting.length;
  }

  release(reply: Reply<T>): void {
    const answer = this.#waiting.shift();
    if (answer === undefined) {
      throw new Error("No request is waiting for a response.");
    }
    answer(reply);
  }
}

export class Server {
  readonly requests: Sent[] = [];
  /** Milliseconds by which the server's clock is ahead of the local one. */
  ahead = 0;
  readonly #routes: Route[] = [];

  /** Set the responses of a path: each is used once, in order, and the last one from then on. */
  on<M extends Method, P extends PathOf<M>>(
    method: M,
    template: P,
    ...replies: readonly [Reply<Answer<M, P>>, ...Reply<Answer<M, P>>[]]
  ): void {
    const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, "[^/]+").replace(/\./g, "\\.")}$`);
    this.#routes.unshift({
      method: method.toUpperCase(),
      template,
      pattern,
      replies: [...replies],
    });
  }

  /** Hold the responses of a path until the test releases them. */
  hold<M extends Method, P extends PathOf<M>>(method: M, template: P): Held<Answer<M, P>> {
    const held = new Held<Answer<M, P>>();
    this.on(method, template, held.reply);
    return held;
  }

  /** The requests to a path. */
  sent<M extends Method>(method: M, template: PathOf<M>): readonly Sent[] {
    return this.requests.filter(
      (sent) =>
        this.#find(sent.method, sent.url.pathname)?.template === template && is(sent, method),
    );
  }

  async answer(address: RequestInfo | URL, init: RequestInit): Promise<Response> {
    const signal = init.signal ?? null;
    if (signal?.aborted) {
      throw signal.reason;
    }
    const sent: Sent = {
      method: init.method ?? "GET",
      url: new URL(String(address), location.origin),
      headers: new Headers(init.headers),
      body: typeof init.body === "string" ? JSON.parse(init.body) : (init.body ?? undefined),
      signal,
    };
    this.requests.push(sent);
    const replies = this.#find(sent.method, sent.url.pathname)?.replies ?? [];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply === undefined) {
      strays.push(`${sent.method} ${sent.url.pathname}${sent.url.search}`);
      throw new TypeError("Failed to fetch");
    }
    const response = await orAborted(Promise.resolve(reply(sent)), signal);
    if (!response.headers.has("Date")) {
      response.headers.set("Date", new Date(Date.now() + this.ahead).toUTCString());
    }
    return response;
  }

  /** The response for a request: the most specific path wins, then the latest `on`. */
  #find(method: string, path: string): Route | undefined {
    const places = ({ template }: Route) => template.split("{").length;
    return this.#routes
      .filter((route) => route.method === method && route.pattern.test(path))
      .sort((one, other) => places(one) - places(other))[0];
  }
}

/** Replace the network for one test. */
export function serve(): Server {
  const server = new Server();
  vi.stubGlobal("fetch", (address: RequestInfo | URL, init: RequestInit = {}) =>
    server.answer(address, init),
  );
  return server;
}

/** A server with responses for every page: empty lists and no events. */
export function servePage(): Server {
  const server = serve();
  const quiet = { "Content-Type": "text/event-stream" };
  server.on("get", "/api/stream", unfinished("retry: 1000\nid: 0\n\n", quiet));
  server.on("get", "/api/activities/home", ok([]));
  server.on("get", "/api/trending", ok([]));
  server.on("get", "/api/activities/following", ok([]));
  server.on("get", "/api/users/suggested", ok([]));
  server.on("get", "/api/users/search", ok([]));
  server.on("get", "/api/tags/followed", ok([]));
  server.on("get", "/api/activities/notifications/counter", ok({ count: 0 }));
  server.on("get", "/api/messages/counter", ok({ count: 0 }));
  server.on("get", "/api/message_requests", ok([]));
  server.on("get", "/api/messages/policy", ok({ policy: "everyone" }));
  server.on("get", "/api/messages/@{handle}/lifetime", ok({ ttl: null }));
  server.on("get", "/api/auth/email", ok({ email: null, pending: null, can_change: false }));
  server.on("get", "/api/blocks", ok([]));
  server.on("get", "/api/mutes", ok([]));
  server.on("get", "/api/notices", ok([]));
  server.on("get", "/api/auth/me", (sent) => {
    const session = getSession();
    return session.phase === "in" ? ok(session.user)(sent) : refuse(401, "generic_401")(sent);
  });
  server.on("get", "/api/instance", ok(instance()));
  server.on("get", "/api/auth/code-delivery", ok({ channel: "mail" }));
  server.on("get", "/api/auth/passkeys", ok([]));
  server.on("get", "/api/auth/passkeys/support", ok({ is_available: true }));
  return server;
}

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function respond(status: number, body: BodyInit, more?: HeadersInit): Response {
  const headers = new Headers(more);
  const set = (name: string, value: string) => {
    if (!headers.has(name)) {
      headers.set(name, value);
    }
  };
  set("Content-Type", "application/json");
  set("Cache-Control", "no-store");
  set("traceresponse", TRACE);
  return new Response(body, { status, headers });
}

function orAborted<T>(answer: Promise<T>, signal: AbortSignal | null): Promise<T> {
  if (signal === null) {
    return answer;
  }
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    answer.then(resolve, reject);
  });
}

function is(sent: Sent, method: Method): boolean {
  return sent.method === method.toUpperCase();
}
