import { describe, expect, test } from "vitest";
import { EventReader, type ServerEvent } from "../../src/api/events";

const encoder = new TextEncoder();

interface Read {
  readonly events: readonly ServerEvent[];
  readonly lastEventId: string;
  readonly retry: number | null;
}

function read(...parts: readonly (string | Uint8Array)[]): Read {
  const reader = new EventReader();
  const events = parts.flatMap((part) =>
    reader.push(typeof part === "string" ? encoder.encode(part) : part),
  );
  return { events, lastEventId: reader.lastEventId, retry: reader.retry };
}

function message(data: string): ServerEvent {
  return { type: "message", data };
}

describe("an event stream", () => {
  test("has named events", () => {
    const { events } = read('event: crud\nid: 7\ndata: {"a": 1}\n\nevent: gone\ndata: {}\n\n');
    expect(events).toEqual([
      { type: "crud", data: '{"a": 1}' },
      { type: "gone", data: "{}" },
    ]);
  });

  test.each([
    ["data of several lines", "data: YHOO\ndata: +2\ndata: 10\n\n", [message("YHOO\n+2\n10")]],
    ["empty data", "data\n\ndata\ndata\n\ndata:", [message(""), message("\n")]],
    [
      "one space after the colon, or none",
      "data:test\n\ndata: test\n\n",
      Array(2).fill(message("test")),
    ],
    ["more spaces, which are data", "data:  test \n\n", [message(" test ")]],
    ["colons in the data", "data: a: b\n\n", [message("a: b")]],
    ["comments", ": hello\n\ndata: 1\n:\ndata: 2\n\n:\n\n", [message("1\n2")]],
    ["unknown fields", "date: 1\nDATA: 2\n data: 3\ndata: 4\n\n", [message("4")]],
    [
      "the trace context of an event",
      "traceparent: 00-1-2-00\ndata: 1\n\ndata: 2\n\n",
      [{ ...message("1"), traceparent: "00-1-2-00" }, message("2")],
    ],
    ["a name without data, which is ignored", "event: crud\n\ndata: 1\n\n", [message("1")]],
    ["a leading byte order mark", "\ufeffdata: 1\n\n", [message("1")]],
    ["an incomplete last block", "data: 1\n\ndata: 2\n", [message("1")]],
  ])("may have %s", (_, text, events) => {
    expect(read(text).events).toEqual(events);
  });

  test("may use any of three line endings", () => {
    const lines = ["data: 1", "data: 2", "", "data: 3", "", ""];
    for (const end of ["\n", "\r\n", "\r"]) {
      expect(read(lines.join(end)).events).toEqual([message("1\n2"), message("3")]);
    }
  });

  test("gives an id to resume from, even without an event", () => {
    expect(read("id: 1\n\n").lastEventId).toBe("1");
    expect(read("id: 1\ndata\n\ndata: 2\n\n").lastEventId).toBe("1");
    expect(read("id: 1\n\nid: 2\n").lastEventId).toBe("1");
    expect(read("id: 1\n\nid: 2\0\n\n").lastEventId).toBe("1");
    expect(read("id: 1\n\nid\n\n").lastEventId).toBe("");
    expect(new EventReader("7").lastEventId).toBe("7");
  });

  test("gives a reconnection delay", () => {
    expect(read("retry: 1500\n\n").retry).toBe(1500);
    expect(read("retry: 15\nretry: soon\nretry: -1\nretry:\nretry: 1.5\n").retry).toBe(15);
    expect(read("data: 1\n\n").retry).toBeNull();
  });
});

describe("the chunk boundaries", () => {
  const text = [
    "\ufeffretry: 2000\r\nid: 41\r\n\r\n",
    ": a heartbeat\n\n",
    "event: crud\nid: 42\ndata: “Qapla’” 😀 日本語 ‏שלום\ndata: é\n\n",
    "data: one\rdata: two\r\r",
    "id: 43\r\ndata\r\n\r\n",
    "event: gone\ndata: \u0000\n\n",
    ":\n\nid: 44\ndata: lost",
  ].join("");
  const bytes = encoder.encode(text);
  const whole = read(bytes);

  test("do not matter: one chunk", () => {
    expect(whole).toEqual({
      events: [
        { type: "crud", data: "“Qapla’” 😀 日本語 ‏שלום\né" },
        message("one\ntwo"),
        message(""),
        { type: "gone", data: "\u0000" },
      ],
      lastEventId: "43",
      retry: 2000,
    });
  });

  test("do not matter: single bytes", () => {
    expect(read(...Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))).toEqual(whole);
  });

  test("do not matter: two chunks", () => {
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(read(bytes.subarray(0, at), bytes.subarray(at))).toEqual(whole);
    }
  });

  test("do not matter: random chunks", () => {
    let seed = 1;
    const random = (max: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % max;
    };
    for (let round = 0; round < 500; round += 1) {
      const cuts = Array.from({ length: random(40) }, () => random(bytes.length + 1));
      const ends = [...cuts, bytes.length].toSorted((one, other) => one - other);
      const parts = ends.map((end, place) => bytes.subarray(ends[place - 1] ?? 0, end));
      expect(read(...parts)).toEqual(whole);
    }
  });
});
