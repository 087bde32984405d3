import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ServerEvent } from "../../src/api/events";
import { enter, leave } from "../../src/api/session";
import { follow, getStreamState, onStreamState, type StreamState } from "../../src/api/stream";
import { LONDO, signedIn, signIn, WORF } from "../support/make";
import { ok, raw, refuse, type Server, serve, silent, unreachable } from "../support/server";
import { RETRY, Stream } from "../support/stream";
import { MINUTE, pass, SECOND, settle } from "../support/time";

const REFRESH = "/api/auth/refresh";
const STREAM = "/api/stream";

let server: Server;
let stream: Stream;
let heard: ServerEvent[];
let begun: number;
let reachable: number;
let stop: () => void;

beforeEach(() => {
  server = serve();
  stream = new Stream(server);
  heard = [];
  begun = 0;
  reachable = 0;
  stop = () => undefined;
});

afterEach(() => stop());

async function start(): Promise<void> {
  stop = follow(
    (event) => heard.push(event),
    () => {
      begun += 1;
    },
    () => {
      reachable += 1;
    },
  );
  await settle();
}

/** The position from which each connection resumes. */
function asked(): (string | null)[] {
  return stream.asked.map(({ headers }) => headers.get("Last-Event-ID"));
}

function tokens(): (string | null)[] {
  return stream.asked.map(({ headers }) => headers.get("Authorization"));
}

async function setVisible(visibility: DocumentVisibilityState): Promise<void> {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(visibility);
  document.dispatchEvent(new Event("visibilitychange"));
  await settle();
}

/** Fix the random share of the maximum wait. */
function chance(share: number): void {
  vi.spyOn(Math, "random").mockReturnValue(share);
}

describe("the stream", () => {
  test("is requested as an event stream, with its own trace", async () => {
    await start();
    const [sent] = stream.asked;
    expect(sent?.headers.get("Accept")).toBe("text/event-stream");
    expect(sent?.headers.get("traceparent")).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(sent?.headers.has("Authorization")).toBe(false);
    expect(sent?.headers.has("Last-Event-ID")).toBe(false);
    expect(begun).toBe(1);
  });

  test("delivers events", async () => {
    await start();
    await stream.send("gone", { uuid: "1" });
    await stream.write(": a heartbeat\n\n");
    await stream.send("gone", { uuid: "2" });
    expect(heard).toEqual([
      { type: "gone", data: '{"uuid":"1"}' },
      { type: "gone", data: '{"uuid":"2"}' },
    ]);
  });

  test("resumes where it ended, after the delay that the server sets", async () => {
    await start();
    await stream.send("gone", { uuid: "1" });
    await stream.send("gone", { uuid: "2" }, { isLogged: false });
    await stream.write("retry: 3500\n\n");
    await stream.end();
    await pass(3499);
    expect(asked()).toEqual([null]);
    await pass(1);
    expect(asked()).toEqual([null, "1"]);
    await stream.send("gone", { uuid: "3" });
    expect(heard).toHaveLength(3);
    expect(begun).toBe(1);
  });

  test("resumes after a network failure", async () => {
    await start();
    await stream.fail();
    await pass(RETRY);
    expect(stream.count).toBe(1);
  });

  test("continues after a handler throws, and reports the error", async () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    stop = follow(
      ({ type }) => {
        if (type === "odd") {
          throw new Error("What is this?");
        }
        heard.push({ type, data: "" });
      },
      () => undefined,
      () => undefined,
    );
    await settle();
    await stream.write("event: odd\ndata: 1\n\nevent: gone\ndata: 2\n\n");
    expect(heard).toHaveLength(1);
    expect(reported).toHaveBeenCalledOnce();
    expect(stream.count).toBe(1);
  });

  test("closes when it is not followed any more", async () => {
    await start();
    stop();
    await pass(MINUTE);
    expect(stream.asked).toHaveLength(1);
    expect(stream.count).toBe(0);
    expect(getStreamState()).toBe("off");
  });
});

describe("a stream that fails", () => {
  test("is retried with random, growing delays of at most half a minute", async () => {
    chance(0.5);
    await start();
    server.on("get", STREAM, unreachable());
    await stream.end();
    const waits: number[] = [];
    let last = Date.now();
    for (let count = 1; count < 9; ) {
      await pass(100);
      if (stream.asked.length > count) {
        count = stream.asked.length;
        waits.push(Date.now() - last);
        last = Date.now();
      }
    }
    expect(waits).toEqual([1000, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    stream.answer();
    await pass(15 * SECOND);
    expect(stream.count).toBe(1);
    await stream.end();
    await pass(RETRY);
    expect(stream.count).toBe(1);
  });

  test.each([
    [429, "rate_limited"],
    [503, "unavailable"],
  ] as const)("with %i is not retried before Retry-After", async (status, code) => {
    chance(0);
    stream.answer(refuse(status, code, { "Retry-After": "20" }));
    await start();
    await pass(20 * SECOND - 1);
    expect(stream.asked).toHaveLength(1);
    await pass(1);
    expect(stream.count).toBe(1);
  });

  test.each([
    ["has another content type", raw(200, "<html>", { "Content-Type": "text/html" })],
    ["is a server error", refuse(500, "generic_500")],
    ["is empty", raw(200, "", { "Content-Type": "text/event-stream" })],
  ])("because the response %s is retried", async (_, reply) => {
    chance(0.999);
    stream.answer(reply);
    await start();
    expect(stream.count).toBe(0);
    await pass(4 * SECOND);
    expect(stream.count).toBe(1);
  });

  test("says when the server can be reached again", async () => {
    await start();
    expect(reachable).toBe(1);
    await stream.write(":\n\n");
    expect(reachable).toBe(1);
    await stream.fail();
    stream.answer(unreachable());
    await pass(RETRY);
    expect(reachable).toBe(1);
    await pass(2 * RETRY);
    expect(reachable).toBe(2);
  });

  test("is retried at once when the browser is online again", async () => {
    chance(0.999);
    server.on("get", STREAM, unreachable());
    await start();
    stream.answer();
    dispatchEvent(new Event("online"));
    await settle();
    expect(stream.count).toBe(1);
  });

  test("is closed when it is silent", async () => {
    await start();
    await pass(39 * SECOND);
    await stream.write(":\n\n");
    await pass(39 * SECOND);
    expect(stream.asked).toHaveLength(1);
    await pass(SECOND);
    expect(stream.asked).toHaveLength(2);
    expect(stream.count).toBe(1);
  });

  test("is closed when there is no response", async () => {
    stream.answer(silent());
    await start();
    await pass(40 * SECOND);
    expect(stream.count).toBe(1);
  });
});

describe("the state of the stream", () => {
  let states: StreamState[];

  beforeEach(() => {
    states = [];
    const stop = onStreamState(() => states.push(getStreamState()));
    return stop;
  });

  test("is lost after ten seconds without a connection, and live again after that", async () => {
    chance(0.25);
    await start();
    server.on("get", STREAM, unreachable());
    await stream.end();
    await pass(10 * SECOND - 1);
    expect(states).toEqual(["live"]);
    await pass(1);
    expect(states).toEqual(["live", "lost"]);
    stream.answer();
    await pass(8 * SECOND);
    expect(states).toEqual(["live", "lost", "live"]);
  });

  test("stays live during a short interruption", async () => {
    chance(0);
    await start();
    await stream.end();
    await pass(MINUTE);
    expect(states).toEqual(["live"]);
  });

  test("is lost if there never was a connection", async () => {
    stream.answer(silent());
    await start();
    await pass(10 * SECOND);
    expect(getStreamState()).toBe("lost");
  });

  test("stays live in a hidden tab that closed its connection", async () => {
    await start();
    await setVisible("hidden");
    await pass(MINUTE);
    await setVisible("visible");
    expect(states).toEqual(["live"]);
  });
});

describe("a hidden tab", () => {
  test("closes the stream after a while, and resumes it when it becomes visible", async () => {
    await start();
    await stream.send("gone", { uuid: "1" });
    await setVisible("hidden");
    await pass(10 * SECOND - 1);
    expect(stream.count).toBe(1);
    await pass(MINUTE);
    expect(stream.count).toBe(0);
    expect(stream.asked).toHaveLength(1);
    await setVisible("visible");
    expect(asked()).toEqual([null, "1"]);
  });

  test("keeps the stream if it is hidden only briefly", async () => {
    await start();
    await setVisible("hidden");
    await pass(9 * SECOND);
    await setVisible("visible");
    await pass(9 * SECOND);
    expect(stream.asked).toHaveLength(1);
    expect(stream.count).toBe(1);
  });

  test("that becomes visible retries at once", async () => {
    chance(0.999);
    server.on("get", STREAM, unreachable());
    await start();
    stream.answer();
    await setVisible("hidden");
    await setVisible("visible");
    expect(stream.count).toBe(1);
  });
});

describe("the viewer of the stream", () => {
  test("is the signed-in member", async () => {
    signIn();
    await start();
    expect(tokens()).toEqual(["Bearer token-1"]);
  });

  test("changes with the session, and the new viewer misses nothing", async () => {
    await start();
    await stream.send("gone", { uuid: "1" });
    signIn();
    await settle();
    enter(signedIn({ ...WORF, ...LONDO }, "token-2"));
    await settle();
    leave();
    await settle();
    expect(tokens()).toEqual([null, "Bearer token-1", "Bearer token-2", null]);
    expect(asked()).toEqual([null, "1", "1", "1"]);
    expect(stream.count).toBe(1);
  });

  test("does not change with the token", async () => {
    signIn();
    await start();
    enter(signedIn(WORF, "token-2"));
    await settle();
    expect(stream.asked).toHaveLength(1);
  });

  test("is restored once, together with the other requests", async () => {
    signIn();
    await pass(15 * MINUTE);
    const refresh = server.hold("post", REFRESH);
    await start();
    expect(stream.asked).toHaveLength(0);
    refresh.release(ok(signedIn(WORF, "token-2")));
    await settle();
    expect(tokens()).toEqual(["Bearer token-2"]);
  });

  test("is sent with a new token after the token was rejected", async () => {
    signIn();
    server.on("post", REFRESH, ok(signedIn(WORF, "token-2")));
    stream.answer(refuse(401, "generic_401"));
    await start();
    expect(tokens()).toEqual(["Bearer token-1", "Bearer token-2"]);
    expect(stream.count).toBe(1);
  });

  test("is a visitor after the session has ended", async () => {
    signIn();
    await start();
    server.on("post", REFRESH, refuse(401, "generic_401"));
    stream.answer(refuse(401, "generic_401"));
    await stream.end();
    await pass(RETRY);
    expect(tokens()).toEqual(["Bearer token-1", "Bearer token-1", null]);
    expect(server.sent("post", REFRESH)).toHaveLength(1);
    expect(stream.count).toBe(1);
  });
});
