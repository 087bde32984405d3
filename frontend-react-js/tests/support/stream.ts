/**
 * The backend's event stream, controlled by a test.
 *
 *     const stream = new Stream(server);
 *     ...
 *     stream.send("crud", crud());
 *     stream.end();
 */

import { type Reply, raw, type Sent, type Server } from "./server";
import { pass, settle } from "./time";

/** The reconnection delay of this server, in milliseconds. */
export const RETRY = 1_000;

export class Stream {
  readonly #server: Server;
  readonly #open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #count = 0;

  /** Every connection is accepted until the test sets another response. */
  constructor(server: Server) {
    this.#server = server;
    this.answer();
  }

  /** Respond to each connection as the backend does. */
  answer(...before: Reply<never>[]): void {
    const reply: Reply<string> = (sent) => this.#begin(sent);
    const [first = reply, ...rest] = [...before, reply];
    this.#server.on("get", "/api/stream", first, ...rest);
  }

  /** All requests for the stream, including rejected ones. */
  get asked(): readonly Sent[] {
    return this.#server.sent("get", "/api/stream");
  }

  /** How many connections are open. */
  get count(): number {
    return this.#open.size;
  }

  /** Send an event to all connections. An event that is not in the log has no id. */
  async send(type: string, data: unknown, { isLogged = true } = {}): Promise<void> {
    this.#count += isLogged ? 1 : 0;
    const id = isLogged ? `id: ${this.#count}\n` : "";
    await this.write(`event: ${type}\n${id}data: ${JSON.stringify(data)}\n\n`);
    await pass(1); // lets React render, and effects run
  }

  async write(text: string): Promise<void> {
    for (const controller of this.#open) {
      controller.enqueue(new TextEncoder().encode(text));
    }
    await settle();
  }

  /** End all connections, as a service does when it shuts down. */
  async end(): Promise<void> {
    for (const controller of this.#open) {
      controller.close();
    }
    this.#open.clear();
    await settle();
  }

  /** Break all connections, as a network failure does. */
  async fail(): Promise<void> {
    for (const controller of this.#open) {
      controller.error(new TypeError("network error"));
    }
    this.#open.clear();
    await settle();
  }

  #begin(sent: Sent): Response | Promise<Response> {
    const { signal, headers } = sent;
    const current = headers.has("Last-Event-ID") ? "" : `id: ${this.#count}\n`;
    const beginning = `retry: ${RETRY}\n${current}\n`;
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        this.#open.add(controller);
        controller.enqueue(new TextEncoder().encode(beginning));
        signal?.addEventListener("abort", () => {
          if (this.#open.delete(controller)) {
            controller.error(signal.reason);
          }
        });
      },
      cancel: () => {
        this.#open.delete(own);
      },
    });
    return raw(200, body, { "Content-Type": "text/event-stream; charset=utf-8" })(sent);
  }
}
