import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call } from "../../src/api/http";
import { startRecorder } from "../../src/telemetry/recorder";
import {
  type Context,
  currentCause,
  newContext,
  observe,
  type Recorder,
  record,
  startTelemetry,
  stopTelemetry,
} from "../../src/telemetry/trace";
import { ok, refuse, type Server, serve, unreachable } from "../support/server";

const TELEMETRY = "/api/telemetry";
const UUID = "0195f2a0-0000-7000-8000-000000000000";
const RECEIPT = ok({ partialSuccess: { rejectedSpans: 0, rejectedLogRecords: 0 } });
/** Milliseconds after which an interaction is over, and after which a batch is sent. */
const REST = 150;
const SENT = 2_500;

interface Item {
  readonly name: string;
  readonly trace: string;
  readonly span: string;
  readonly parent: string;
  readonly kind: number;
  readonly status: number;
  readonly milliseconds: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** A `PerformanceObserver` whose entries the test provides. */
class Observer {
  static readonly supportedEntryTypes = [
    "largest-contentful-paint",
    "layout-shift",
    "event",
    "first-input",
  ];
  static readonly all = new Set<Observer>();
  readonly #take: PerformanceObserverCallback;
  #type = "";

  constructor(take: PerformanceObserverCallback) {
    this.#take = take;
  }

  observe({ type }: { type: string }): void {
    this.#type = type;
    Observer.all.add(this);
  }

  takeRecords(): PerformanceEntryList {
    return [];
  }

  disconnect(): void {
    Observer.all.delete(this);
  }

  static add(type: string, ...entries: object[]): void {
    for (const observer of Observer.all) {
      if (observer.#type === type) {
        const list = { getEntries: () => entries } as unknown as PerformanceObserverEntryList;
        observer.#take(list, observer as unknown as PerformanceObserver);
      }
    }
  }
}

let server: Server;
let page: Context;
let recorder: Recorder;
let running: AbortController;

beforeEach(() => {
  vi.stubGlobal("PerformanceObserver", Observer);
  server = serve();
  server.on("post", TELEMETRY, RECEIPT);
  server.on("get", "/api/trending", ok([]));
  page = newContext();
  running = new AbortController();
  recorder = startRecorder(page, running.signal);
  record(recorder);
});

afterEach(() => {
  running.abort();
  stopTelemetry();
  document.body.replaceChildren();
  document.head.replaceChildren();
});

/** Let the page's load and every interaction end. */
function rest(milliseconds = REST): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(milliseconds);
}

function hide(): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}

function button(): HTMLButtonElement {
  const element = document.createElement("button");
  element.className = "crud-like is-on";
  element.textContent = "private text";
  document.body.append(element);
  return element;
}

// biome-ignore lint/suspicious/noExplicitAny: the JSON of a request.
type Json = any;

function attributes(list: Json): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }: Json) => [key, Object.values(value)[0]]));
}

function spans(): Item[] {
  return server.sent("post", TELEMETRY).flatMap(({ body }) =>
    (body as Json).resourceSpans[0].scopeSpans[0].spans.map((span: Json) => ({
      name: span.name,
      trace: span.traceId,
      span: span.spanId,
      parent: span.parentSpanId,
      kind: span.kind,
      status: span.status.code,
      milliseconds:
        Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1_000_000,
      attributes: attributes(span.attributes),
    })),
  );
}

function logs(): { name: string; span: string; attributes: Record<string, unknown> }[] {
  return server.sent("post", TELEMETRY).flatMap(({ body }) =>
    (body as Json).resourceLogs[0].scopeLogs[0].logRecords.map((log: Json) => ({
      name: log.eventName,
      span: log.spanId,
      attributes: attributes(log.attributes),
    })),
  );
}

function named(name: string): Item {
  const [found, ...more] = spans().filter((span) => span.name === name);
  if (found === undefined || more.length > 0) {
    throw new Error(`${1 + more.length} of ${name} in ${spans().map((span) => span.name)}`);
  }
  return found;
}

describe("a call", () => {
  test("sends its own span, which is a child of the interaction", async () => {
    await rest();
    const element = button();
    element.addEventListener("click", () => void call("get", "/api/trending", {}));
    element.click();
    await rest(SENT);
    const click = named("click button.crud-like");
    const get = named("GET /api/trending");
    expect(get).toMatchObject({ trace: click.trace, parent: click.span, kind: 3, status: 0 });
    expect(click).toMatchObject({ parent: "", kind: 1 });
    const [sent] = server.sent("get", "/api/trending");
    expect(sent?.headers.get("traceparent")).toBe(`00-${get.trace}-${get.span}-01`);
    expect(get.attributes).toMatchObject({
      "http.request.method": "GET",
      "http.response.status_code": 200,
      "url.template": "/api/trending",
      "url.full": `${location.origin}/api/trending`,
    });
    expect(click.attributes).toMatchObject({
      "app.screen.name": "/",
      "app.widget.name": "button.crud-like",
      "session.id": get.attributes["session.id"],
    });
    expect(JSON.stringify(server.sent("post", TELEMETRY).map(({ body }) => body))).not.toContain(
      "private text",
    );
  });

  test("of the page's load is a child of that", async () => {
    await call("get", "/api/trending", {});
    await rest(SENT);
    expect(named("GET /api/trending")).toMatchObject({ trace: page.trace, parent: page.span });
  });

  test("that follows another one of the same interaction belongs to it", async () => {
    await rest();
    const held = server.hold("get", "/api/trending");
    const element = button();
    element.addEventListener("click", () => void call("get", "/api/trending", {}));
    element.click();
    await rest(1000);
    void call("get", "/api/trending", {}); // the first one is open
    await rest(0);
    held.release(ok([]));
    held.release(ok([]));
    await rest(50);
    void call("get", "/api/trending", {}); // it has just ended
    await rest(0);
    held.release(ok([]));
    await rest(SENT);
    const click = named("click button.crud-like");
    const parents = spans().filter(({ kind }) => kind === 3);
    expect(parents.map(({ parent }) => parent)).toEqual(Array(3).fill(click.span));
    expect(click.milliseconds).toBeGreaterThanOrEqual(1050);
  });

  test("that nothing caused starts a trace", async () => {
    await rest();
    await call("get", "/api/trending", {});
    await call("get", "/api/trending", {});
    await rest(SENT);
    const [first, second] = spans();
    expect(first?.parent).toBe("");
    expect(first?.trace).not.toBe(second?.trace);
  });

  test.each([
    ["503", refuse(503, "unavailable"), { status: 2 }],
    ["unreachable", unreachable(), { status: 2 }],
  ])("that fails has the reason: %s", async (reason, reply, expected) => {
    server.on("get", "/api/trending", reply);
    await call("get", "/api/trending", {}).catch(() => undefined);
    await rest(SENT);
    expect(named("GET /api/trending")).toMatchObject(expected);
    expect(named("GET /api/trending").attributes["error.type"]).toBe(reason);
  });

  test("that the page aborts is no error", async () => {
    server.hold("get", "/api/trending");
    const aborting = new AbortController();
    const aborted = call("get", "/api/trending", { signal: aborting.signal });
    aborting.abort();
    await expect(aborted).rejects.toThrow();
    await rest(SENT);
    expect(named("GET /api/trending")).toMatchObject({ status: 0 });
    expect(named("GET /api/trending").attributes["error.type"]).toBe("AbortError");
  });

  test("shows no query and no private parameter of its path", async () => {
    server.on("get", "/api/activities/search", ok([]));
    server.on("put", "/api/avatars/uploads/{token}", ok({ avatar_url: "/a" }));
    server.on("put", "/api/activities/{uuid}/like", refuse(404, "not_found"));
    await call("get", "/api/activities/search", { query: { term: "secret" } });
    await call("put", "/api/avatars/uploads/{token}", {
      path: { token: "secret" },
      body: new Blob(["x"]),
    });
    await call("put", "/api/activities/{uuid}/like", { path: { uuid: UUID } }).catch(() => 0);
    await rest(SENT);
    expect(spans().map((span) => span.attributes["url.full"])).toEqual([
      `${location.origin}/api/activities/search`,
      `${location.origin}/api/avatars/uploads/{token}`,
      `${location.origin}/api/activities/${UUID}/like`,
    ]);
  });
});

describe("an interaction", () => {
  test("that causes nothing is not recorded", async () => {
    await rest();
    button().click();
    await rest(SENT);
    expect(spans()).toEqual([]);
  });

  test("is one, even if a click submits a form", async () => {
    await rest();
    const form = document.createElement("form");
    form.append(button());
    document.body.append(form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void call("get", "/api/trending", {});
    });
    form.querySelector("button")?.click();
    await rest(SENT);
    expect(spans().map(({ name }) => name)).toEqual([
      "GET /api/trending",
      "click button.crud-like",
    ]);
  });

  test("that leads to another page contains the navigation", async () => {
    await rest();
    const element = button();
    element.addEventListener("click", () => {
      history.pushState(null, "", `/@worf/status/${UUID}`);
      observe((to) => to.showPage());
    });
    element.click();
    await rest(SENT);
    const click = named("click button.crud-like");
    expect(named("navigate /:at/status/:uuid")).toMatchObject({ parent: click.span });
  });

  test("back is one, too", async () => {
    await rest();
    history.replaceState(null, "", "/search?term=secret");
    recorder.interact(new Event("popstate"));
    recorder.showPage();
    await rest(SENT);
    expect(named("navigate /search").parent).toBe(named("popstate").span);
    expect(JSON.stringify(spans())).not.toContain("secret");
  });
});

describe("a crud that arrives", () => {
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;

  test("continues its trace until its card is painted", async () => {
    recorder.receiveCrud(UUID, traceparent, performance.now());
    await rest(40);
    recorder.showCrud(UUID);
    await rest(SENT);
    expect(named("render crud")).toMatchObject({
      trace: "a".repeat(32),
      parent: "b".repeat(16),
      kind: 1,
    });
    expect(named("render crud").milliseconds).toBeGreaterThanOrEqual(40);
    recorder.showCrud(UUID);
    await rest(SENT);
    named("render crud"); // only once
  });

  test("and is shown much later has no span", async () => {
    recorder.receiveCrud(UUID, traceparent, performance.now());
    await rest(11_000);
    recorder.showCrud(UUID);
    await rest(SENT);
    expect(spans()).toEqual([]);
  });

  test("in a hidden page has none", async () => {
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    recorder.receiveCrud(UUID, traceparent, performance.now());
    recorder.showCrud(UUID);
    await rest(SENT);
    expect(spans()).toEqual([]);
  });
});

describe("an error", () => {
  test("is sent without quotations and without what the user typed", async () => {
    const field = document.createElement("textarea");
    field.value = "my secret";
    document.body.append(field);
    const error = new TypeError("can't read 'pages' of \"a b\" in my secret");
    recorder.fail(error);
    await rest(SENT);
    const [log] = logs();
    expect(log).toMatchObject({ name: "exception", span: page.span });
    expect(log?.attributes).toMatchObject({
      "exception.type": "TypeError",
      "exception.message": "can't read 'pages' of [redacted] in [redacted]",
    });
    expect(log?.attributes["exception.stacktrace"]).toContain("telemetry.test.ts");
    expect(JSON.stringify(logs())).not.toMatch(/my secret|a b/);
  });

  test("that nothing caught is recorded, but no other value", async () => {
    dispatchEvent(new ErrorEvent("error", { error: new RangeError("too deep") }));
    dispatchEvent(new ErrorEvent("error", { error: "a text" }));
    await rest(SENT);
    expect(logs().map((log) => log.attributes["exception.message"])).toEqual(["too deep"]);
  });

  test("in a loop is sent a limited number of times", async () => {
    for (let number = 0; number < 100; number += 1) {
      recorder.fail(new Error("again"));
    }
    await rest(SENT);
    expect(logs()).toHaveLength(20);
  });
});

test("web vitals are sent once, when the page is hidden", async () => {
  Observer.add("largest-contentful-paint", { startTime: 700 }, { startTime: 900 });
  const shift = (startTime: number, value: number, hadRecentInput = false) => ({
    startTime,
    value,
    hadRecentInput,
  });
  // Two session windows: 0.1 + 0.2, and 0.25. A shift after an input does not count.
  Observer.add("layout-shift", shift(100, 0.1), shift(900, 0.2), shift(950, 9, true));
  Observer.add("layout-shift", shift(3000, 0.25));
  // Two entries of one interaction; 0 is none.
  const event = (interactionId: number, duration: number) => ({ interactionId, duration });
  Observer.add("first-input", event(1, 16));
  Observer.add("event", event(1, 48), event(2, 320), event(0, 900));
  hide();
  hide();
  await rest();
  const vitals = logs().map(({ name, span, attributes: values }) => [
    name,
    span,
    values["browser.web_vital.name"],
    values["browser.web_vital.value"],
  ]);
  expect(vitals).toEqual([
    ["browser.web_vital", page.span, "lcp", 900],
    ["browser.web_vital", page.span, "cls", expect.closeTo(0.3)],
    ["browser.web_vital", page.span, "inp", 320],
  ]);
});

describe("the exporter", () => {
  test("sends what is open when the page is hidden", async () => {
    await rest();
    server.hold("get", "/api/trending");
    const element = button();
    element.addEventListener("click", () => void call("get", "/api/trending", {}).catch(() => 0));
    element.click();
    await rest(1);
    hide();
    await rest(1);
    expect(spans().map(({ name }) => name)).toEqual(["click button.crud-like"]);
  });

  test("pauses after a refusal, and stops where telemetry is off", async () => {
    server.on("post", TELEMETRY, refuse(503, "unavailable"), refuse(404, "not_found"), RECEIPT);
    const send = async (pause: number) => {
      recorder.fail(new Error("here"));
      await rest(SENT + pause);
      return server.sent("post", TELEMETRY).length;
    };
    expect(await send(0)).toBe(1);
    expect(await send(60_000)).toBe(1); // it is discarded
    expect(await send(0)).toBe(2);
    expect(await send(3_600_000)).toBe(2);
    expect(await send(0)).toBe(2);
  });

  test("limits each request, without a trace context and without a token", async () => {
    for (let number = 0; number < 120; number += 1) {
      await call("get", "/api/trending", {});
    }
    await rest(SENT);
    expect(spans()).toHaveLength(120);
    for (const { headers, body } of server.sent("post", TELEMETRY)) {
      expect((body as Json).resourceSpans[0].scopeSpans[0].spans.length).toBeLessThanOrEqual(50);
      expect(headers.get("traceparent")).toBeNull();
      expect(headers.get("Authorization")).toBeNull();
    }
  });
});

describe("a page", () => {
  beforeEach(() => {
    running.abort();
    stopTelemetry();
  });

  test("that is not told to send telemetry keeps nothing", () => {
    startTelemetry();
    const observation = vi.fn();
    observe(observation);
    record(recorder);
    expect(observation).not.toHaveBeenCalled();
  });

  test("replays to the recorder what happened before it was loaded", async () => {
    const meta = document.createElement("meta");
    meta.name = "telemetry";
    document.head.append(meta);
    startTelemetry();
    const load = currentCause();
    await call("get", "/api/trending", {});
    expect(load).toBeDefined();
    const replay: Partial<Recorder> = { beginCall: vi.fn(), endCall: vi.fn() };
    record(replay as Recorder);
    expect(replay.beginCall).toHaveBeenCalledWith(load);
    expect(replay.endCall).toHaveBeenCalledWith(
      expect.objectContaining({ cause: load, method: "GET", status: 200 }),
    );
  });
});
