/**
 * The backend, over a stub of `fetch`: it answers what a test tells it to, in the backend's
 * own shape. What it is not told about is a failure of the test.
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
import type { Answer, Code, Method, PathOf } from "../../src/api/wire";

/** Requests of the current test that no reply was told for. */
export const strays: string[] = [];

/** A request as it arrived; a JSON body is parsed, any other is as it was sent. */
export interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: unknown;
  readonly signal: AbortSignal | null;
}

/** How a request is answered. `T` is what a success holds. */
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

/** A success. `next` is the cursor of the list's next part. */
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

/** A refusal with its codes. */
export function refuse(
  status: number,
  code: Code | readonly string[],
  headers?: HeadersInit,
): Reply<never> {
  const codes = typeof code === "string" ? [code] : code;
  return () => respond(status, JSON.stringify(codes), headers);
}

/** Whatever else may come back. */
export function raw(status: number, body: BodyInit, headers?: HeadersInit): Reply<never> {
  return () => respond(status, body, headers);
}

/** There is no network. */
export function unreachable(): Reply<never> {
  return () => Promise.reject(new TypeError("Failed to fetch"));
}

/** Nothing ever comes back. */
export function silent(): Reply<never> {
  return () => new Promise(() => undefined);
}

/** An answer whose body begins and does not end. */
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

/** Answers that wait until they are released, the longest waiting first. */
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
      throw new Error("No request waits for its answer.");
    }
    answer(reply);
  }
}

export class Server {
  readonly requests: Sent[] = [];
  /** Milliseconds by which its clock is ahead of this machine's. */
  ahead = 0;
  readonly #routes: Route[] = [];

  /** Answer a path: with each reply once, in order, and with the last of them ever after. */
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

  /** Answer a path when the test says so. */
  hold<M extends Method, P extends PathOf<M>>(method: M, template: P): Held<Answer<M, P>> {
    const held = new Held<Answer<M, P>>();
    this.on(method, template, held.reply);
    return held;
  }

  /** The requests that a path has had. */
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

  /** What a request is answered by: the most exact path, and what was told last. */
  #find(method: string, path: string): Route | undefined {
    const places = ({ template }: Route) => template.split("{").length;
    return this.#routes
      .filter((route) => route.method === method && route.pattern.test(path))
      .sort((one, other) => places(one) - places(other))[0];
  }
}

/** Take the place of the network for one test. */
export function serve(): Server {
  const server = new Server();
  vi.stubGlobal("fetch", (address: RequestInfo | URL, init: RequestInit = {}) =>
    server.answer(address, init),
  );
  return server;
}

/** A server that answers what stands around each page: nothing is new, nobody is suggested. */
export function servePage(): Server {
  const server = serve();
  const quiet = { "Content-Type": "text/event-stream" };
  server.on("get", "/api/stream", unfinished("retry: 1000\nid: 0\n\n", quiet));
  server.on("get", "/api/activities/home", ok([]));
  server.on("get", "/api/trending", ok([]));
  server.on("get", "/api/users/suggested", ok([]));
  server.on("get", "/api/activities/notifications/counter", ok({ count: 0 }));
  server.on("get", "/api/messages/counter", ok({ count: 0 }));
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
