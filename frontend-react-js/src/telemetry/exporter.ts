/** Send spans and log records to the service as OTLP/JSON, in batches. */

import { sendTelemetry } from "../api/http";
import { serverNow } from "../clock";
import type { Context } from "./trace";
import { hex } from "./trace";

export type Attributes = Readonly<Record<string, string | number>>;

export interface SpanEvent {
  readonly name: string;
  readonly at: number;
}

/** A span. Times are those of `performance.now()`. */
export interface Span {
  readonly context: Context;
  readonly parent?: string;
  readonly name: string;
  /** As OTLP numbers it; work inside of the page by default. */
  readonly kind?: number;
  readonly isError?: boolean;
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  readonly events?: readonly SpanEvent[];
  readonly link?: Context;
  /** The URL of a call, whose resource timing is added when it is sent. */
  readonly url?: string;
}

export interface Log {
  readonly event: string;
  readonly context: Context;
  readonly attributes: Attributes;
}

/** Milliseconds for which items are collected. */
const DELAY = 2_000;
/** Maximum number of items of one request, which is below the limits of the service. */
const MAX_SPANS = 50;
const MAX_LOGS = 5;
/** Maximum number of items that wait; the newest are dropped. */
const MAX_QUEUE = 300;
/** Milliseconds to wait after a refusal: the window of the service's rate limits. */
const PAUSE = 60_000;
const MAX_RESOURCES = 100;

const INTERNAL = 1;
const ERROR = 2;
const DOUBLE = "browser.web_vital.value";

export interface Exporter {
  addSpan(span: Span): void;
  addLog(log: Log): void;
}

/** Start to send what is added. Stops with `signal`. */
export function startExporter(signal?: AbortSignal): Exporter {
  const session = { "session.id": hex(16) };
  const spans: Span[] = [];
  const logs: (Log & { readonly at: number })[] = [];
  const resources: PerformanceResourceTiming[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pausedUntil = 0;

  // The buffer of the browser has room for 250 entries only.
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      if (entry.initiatorType === "fetch") {
        resources.push(entry);
      }
    }
    resources.splice(0, resources.length - MAX_RESOURCES);
  });
  observer.observe({ type: "resource", buffered: true });

  function add<T>(items: T[], item: T): void {
    if (items.length < MAX_QUEUE && !signal?.aborted) {
      items.push(item);
      timer ??= setTimeout(flush, DELAY);
    }
  }

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    while (spans.length + logs.length > 0) {
      if (performance.now() < pausedUntil) {
        spans.length = logs.length = 0; // the page does not work for its telemetry
        return;
      }
      void send(encode(spans.splice(0, MAX_SPANS), logs.splice(0, MAX_LOGS)));
    }
  }

  async function send(body: string): Promise<void> {
    try {
      const status = await sendTelemetry(body);
      if (status >= 400) {
        // 404: it was switched off.
        pausedUntil = status === 404 ? Number.POSITIVE_INFINITY : performance.now() + PAUSE;
      }
    } catch {
      pausedUntil = performance.now() + PAUSE;
    }
  }

  function encode(batch: readonly Span[], records: readonly (Log & { at: number })[]): string {
    const origin = performance.timeOrigin + serverNow() - Date.now();
    const nanoseconds = (at: number) => `${Math.round((origin + at) * 1000)}000`;
    const resourceSpans = [{ scopeSpans: [{ spans: batch.map(encodeSpan) }] }];
    const resourceLogs = [{ scopeLogs: [{ logRecords: records.map(encodeLog) }] }];
    return JSON.stringify({ resourceSpans, resourceLogs });

    function encodeSpan(span: Span) {
      const { context, parent = "", kind = INTERNAL, link } = span;
      const timing = resources.find(
        ({ name, startTime }) =>
          name === span.url && startTime >= span.start && startTime <= span.end,
      );
      const size = timing && { "http.response.body.size": timing.encodedBodySize };
      const events = timing
        ? timings(timing, ["requestStart", "responseStart", "responseEnd"])
        : (span.events ?? []);
      return {
        traceId: context.trace,
        spanId: context.span,
        parentSpanId: parent,
        name: span.name,
        kind,
        startTimeUnixNano: nanoseconds(span.start),
        endTimeUnixNano: nanoseconds(Math.max(span.start, span.end)),
        attributes: encodeAttributes({ ...span.attributes, ...size, ...session }),
        events: events.map(({ name, at }) => ({ name, timeUnixNano: nanoseconds(at) })),
        links: link ? [{ traceId: link.trace, spanId: link.span }] : [],
        status: { code: span.isError ? ERROR : 0 },
      };
    }

    function encodeLog({ event, context, attributes, at }: Log & { at: number }) {
      return {
        eventName: event,
        timeUnixNano: nanoseconds(at),
        traceId: context.trace,
        spanId: context.span,
        attributes: encodeAttributes({ ...attributes, ...session }),
      };
    }
  }

  const flushWhenHidden = () => document.visibilityState === "hidden" && flush();
  // After the vitals, which listen to the same event on the document.
  addEventListener("visibilitychange", flushWhenHidden, { ...(signal && { signal }) });
  addEventListener("pagehide", flush, { ...(signal && { signal }) });
  signal?.addEventListener("abort", () => {
    observer.disconnect();
    clearTimeout(timer);
  });

  return {
    addSpan: (span) => add(spans, span),
    addLog: (log) => add(logs, { ...log, at: performance.now() }),
  };
}

function encodeAttributes(attributes: Attributes) {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value:
      typeof value === "string"
        ? { stringValue: value }
        : key === DOUBLE
          ? { doubleValue: value }
          : { intValue: value },
  }));
}

/** Return the moments of a performance entry that happened. */
export function timings<T extends PerformanceEntry>(
  entry: T,
  names: readonly (keyof T & string)[],
): SpanEvent[] {
  return names.flatMap((name) => {
    const at = entry[name];
    return typeof at === "number" && at > 0 ? [{ name, at }] : [];
  });
}
