/**
 * The trace context of every call, and what the page's telemetry observes.
 *
 * index.html says whether the service accepts telemetry. If it does, the recorder is loaded when
 * the page is idle, and what happened before is replayed to it. Otherwise nothing is recorded, and
 * each call starts a trace of its own.
 */

/** W3C Trace Context: the ids of a span. */
export interface Context {
  readonly trace: string;
  readonly span: string;
}

/** A call that ended. Times are those of `performance.now()`. */
export interface Call {
  readonly context: Context;
  /** The span of what caused it. */
  readonly cause: Context | undefined;
  readonly method: string;
  readonly template: string;
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** The status of the response; 0 if there was none. */
  readonly status: number;
  /** The reason if there was none. */
  readonly reason: string;
}

/** Records spans and errors (`recorder.ts`). */
export interface Recorder {
  /** Return what a call that begins now is caused by. */
  cause(): Context | undefined;
  beginCall(cause: Context | undefined): void;
  endCall(call: Call): void;
  /** The user clicked, submitted a form, or went back or forward. */
  interact(event: Event): void;
  /** The page of a new address was rendered. */
  showPage(): void;
  /** A crud arrived with the trace context of its delivery. */
  receiveCrud(uuid: string, traceparent: string, at: number): void;
  /** The card of a crud was rendered. */
  showCrud(uuid: string): void;
  fail(error: unknown): void;
}

/** Maximum number of observations that are kept for the recorder. */
const MAX_EARLY = 200;

let recorder: Recorder | undefined;
let pageLoad: Context | undefined;
let early: ((to: Recorder) => void)[] = [];

/** Return random bytes in hexadecimal. */
export function hex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return the ids of a new span, by default in a new trace. */
export function newContext(trace = hex(16)): Context {
  return { trace, span: hex(8) };
}

/** Start the telemetry if the service accepts it. */
export function startTelemetry(): void {
  if (document.querySelector('meta[name="telemetry"]') === null) {
    return;
  }
  const page = newContext();
  pageLoad = page;
  const load = () =>
    void import("./recorder").then(
      ({ startRecorder }) => record(startRecorder(page)),
      stopTelemetry, // a new version of the page was deployed
    );
  // Before the router's own listener, which renders the page at once.
  addEventListener("popstate", (event) => observe((to) => to.interact(event)));
  // Safari has no idle callbacks. A module is executed before the page has loaded.
  addEventListener("load", () => (window.requestIdleCallback ?? setTimeout)(load));
}

/** Replay what happened so far to a recorder, which observes everything from now on. */
export function record(to: Recorder): void {
  recorder = to;
  for (const replay of early.splice(0)) {
    replay(to);
  }
}

export function stopTelemetry(): void {
  recorder = pageLoad = undefined;
  early = [];
}

/** Pass an observation to the recorder, now or when it is loaded. */
export function observe(observation: (to: Recorder) => void): void {
  if (recorder !== undefined) {
    observation(recorder);
  } else if (pageLoad !== undefined && early.length < MAX_EARLY) {
    early.push(observation);
  }
}

/** Return what a call that begins now is caused by; undefined if it starts a trace. */
export function currentCause(): Context | undefined {
  return recorder === undefined ? pageLoad : recorder.cause();
}

/** Observe a call; call the returned function when it ends. */
export function observeCall(
  call: Omit<Call, "start" | "end" | "status" | "reason">,
): (status: number, reason?: string) => void {
  const start = performance.now();
  observe((to) => to.beginCall(call.cause));
  return (status, reason = "") => {
    const end = performance.now();
    observe((to) => to.endCall({ ...call, start, end, status, reason }));
  };
}
