// What spans and log lines have in common wherever they are shown.

import { el, fullTime, offset, pairs, shownValue } from "./dom.js";

/** @typedef {import("../wire").SpanView} Span */
/** @typedef {import("../wire").LogView} Line */
/** @typedef {ReturnType<typeof scaleOf>} Scale */

/**
 * The key of a span in its trace: both sides of a call can have one id.
 * @param {{ span_id: string, kind: string }} span
 */
export function keyOf(span) {
  return `${span.span_id} ${span.kind}`;
}

export const GROUPS = { server: "server", db: "database", http: "HTTP client", client: "client", messaging: "producer, consumer", internal: "internal" };

/** @param {Span} span */
export function groupOf(span) {
  if (span.kind === "SERVER") return "server";
  if (span.kind === "PRODUCER" || span.kind === "CONSUMER") return "messaging";
  if (span.kind !== "CLIENT") return "internal";
  const names = Object.keys(span.attributes);
  if (names.some((name) => name.startsWith("db."))) return "db";
  return names.some((name) => name.startsWith("http.") || name.startsWith("url.")) ? "http" : "client";
}

/**
 * From the first start to the last end. A span without a time must not stretch it over decades.
 * @param {import("../wire").TraceView} trace
 */
export function scaleOf(trace) {
  const timed = trace.spans.filter((span) => span.start_ns !== "0");
  const moments = timed.length ? timed.map((span) => BigInt(span.start_ns)) : trace.logs.map((line) => BigInt(line.time_ns));
  const from = moments.reduce((a, b) => (b < a ? b : a), moments[0] ?? 0n);
  const at = (/** @type {string} */ ns) => Number(BigInt(ns) - from) / 1e6;
  const total = timed.reduce((end, span) => Math.max(end, at(span.start_ns) + span.duration_ms), 0.001);
  const share = (/** @type {number} */ ms) => Math.min(100, Math.max(0, (100 * ms) / total));
  return { total, at, share };
}

/** @param {{ severity_number: number }} line */
export function levelOf(line) {
  if (line.severity_number >= 17) return "bad";
  return line.severity_number >= 13 ? "odd" : "calm";
}

/** @param {Line} line */
export function oneLine(line) {
  const body = typeof line.body === "string" ? line.body : JSON.stringify(line.body);
  return `${line.severity} ${body}`.slice(0, 200);
}

/**
 * A log line that opens to its attributes.
 * @param {Line} line @param {Scale} scale @param {HTMLElement | false} [source] a link to its span
 */
export function lineOf(line, scale, source = false) {
  const extra = { ...line.attributes, ...(line.event_name ? { "event name": line.event_name } : {}) };
  const details = el(
    "details",
    {},
    el(
      "summary",
      {},
      el("span", { class: "offset", title: fullTime(line.time_ns) }, line.time_ns === "0" ? "no time" : offset(scale.at(line.time_ns))),
      el("span", { class: `level ${levelOf(line)}` }, line.severity || "–"),
      el("span", { class: "body" }, typeof line.body === "string" ? line.body : shownValue(line.body)),
    ),
    pairs(extra) ?? el("p", { class: "soft" }, "No attributes."),
    el("p", { class: "soft" }, [line.scope.name, line.service].filter(Boolean).join(" · ")),
    el("p", {}, el("a", { href: `/logs?around=${line.time_ns}` }, "Lines around this moment")),
  );
  return el("div", { class: "log" }, details, source);
}
