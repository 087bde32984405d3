/** Server-sent events, read as the HTML standard says (`text/event-stream`). */

/** An event with something in it. `type` is "message" where the server names none. */
export interface ServerEvent {
  readonly type: string;
  readonly data: string;
}

/** Reads one stream, in whatever parts it comes. */
export class EventReader {
  /** Where to go on after this stream: the id of its last whole block that had one. */
  lastEventId: string;
  /** Milliseconds that the server wants to be left alone before it is asked again. */
  retry: number | null = null;

  // A byte order mark at the beginning is dropped, and half a character waits for its rest.
  readonly #decoder = new TextDecoder();
  #line = "";
  #endsInReturn = false;
  #id: string;
  #type = "";
  #data: string[] = [];

  constructor(lastEventId = "") {
    this.lastEventId = lastEventId;
    this.#id = lastEventId;
  }

  /** Take the next part; returns the events that it completes. */
  push(part: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(part, { stream: true });
    if (text === "") {
      return [];
    }
    if (this.#endsInReturn && text.startsWith("\n")) {
      text = text.slice(1); // the second half of a line's end
    }
    this.#endsInReturn = text.endsWith("\r");
    const lines = (this.#line + text).split(/\r\n|\r|\n/);
    this.#line = lines.pop() ?? "";
    return lines.flatMap((line) => this.#take(line) ?? []);
  }

  #take(line: string): ServerEvent | null {
    if (line === "") {
      return this.#dispatch();
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") {
      this.#type = value;
    } else if (field === "data") {
      this.#data.push(value);
    } else if (field === "id" && !value.includes("\0")) {
      this.#id = value;
    } else if (field === "retry" && /^[0-9]+$/.test(value)) {
      this.retry = Number(value);
    }
    return null; // a comment, whose field has no name, and what is not known are passed over
  }

  #dispatch(): ServerEvent | null {
    const [type, data] = [this.#type || "message", this.#data];
    this.lastEventId = this.#id;
    this.#type = "";
    this.#data = [];
    return data.length === 0 ? null : { type, data: data.join("\n") };
  }
}
