/** Parser for server-sent events (`text/event-stream`) as specified in the HTML standard. */

/** An event with data. `type` is "message" if the server names none. */
export interface ServerEvent {
  readonly type: string;
  readonly data: string;
  /** The trace context of its delivery, if the server sends it (a field of ours). */
  readonly traceparent?: string;
}

/** Parse one stream, whatever its chunk boundaries. */
export class EventReader {
  /** Where to resume after this stream: the id of the last complete block that had one. */
  lastEventId: string;
  /** The reconnection delay that the server asks for, in milliseconds. */
  retry: number | null = null;

  // Drops a leading byte order mark, and buffers incomplete characters.
  readonly #decoder = new TextDecoder();
  #line = "";
  #endsInReturn = false;
  #id: string;
  #type = "";
  #data: string[] = [];
  #traceparent = "";

  constructor(lastEventId = "") {
    this.lastEventId = lastEventId;
    this.#id = lastEventId;
  }

  /** Parse the next chunk and return the events that it completes. */
  push(part: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(part, { stream: true });
    if (text === "") {
      return [];
    }
    if (this.#endsInReturn && text.startsWith("\n")) {
      text = text.slice(1); // the second half of a CRLF
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
    } else if (field === "traceparent") {
      this.#traceparent = value;
    } else if (field === "retry" && /^[0-9]+$/.test(value)) {
      this.retry = Number(value);
    }
    return null; // comments and unknown fields are ignored
  }

  #dispatch(): ServerEvent | null {
    const [type, data, traceparent] = [this.#type || "message", this.#data, this.#traceparent];
    this.lastEventId = this.#id;
    this.#type = this.#traceparent = "";
    this.#data = [];
    return data.length === 0
      ? null
      : { type, data: data.join("\n"), ...(traceparent && { traceparent }) };
  }
}
