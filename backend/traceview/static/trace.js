// One trace: the waterfall, the details of each span, and the log lines.

import { ask } from "./api.js";
import { byId, clock, duration, el, files, fullTime, groupBy, plural, statusBadge } from "./dom.js";
import { split } from "./list.js";
import { keyOf, lineOf } from "./span_look.js";
import { Waterfall } from "./waterfall.js";

/** @typedef {import("../wire").TraceView} Trace */
/** @typedef {import("./span_look.js").Scale} Scale */

const page = byId("trace");

let id = "";
/** @type {string | null} */
let etag = null;
/** @type {Waterfall | null} */
let waterfall = null; // of the trace on the page
/** @type {string | null} */
let ranked = null; // the state of the trace whose ranking is on the page

/** @param {string} wanted */
export function showTrace(wanted) {
  if (id === wanted) {
    reveal();
    return;
  }
  forgetTrace();
  id = wanted;
  page.replaceChildren(el("p", { class: "loading" }, "Loading the trace…"));
}

export function forgetTrace() {
  waterfall?.stop();
  id = "";
  etag = waterfall = ranked = null;
}

/** @param {AbortSignal} signal */
export async function refreshTrace(signal) {
  const address = `/api/traces/${encodeURIComponent(id)}`;
  const headers = etag ? { "If-None-Match": etag } : undefined;
  const answer = await ask(address, { signal, headers, expected: [404] });
  if (answer.status === 404) {
    if (!waterfall) drawMissing();
    return;
  }
  if (answer.status !== 304 && answer.etag !== etag) {
    draw(JSON.parse(answer.text));
    etag = answer.etag; // only now, so that a trace that cannot be drawn is requested again
  }
  if (ranked === etag) return;
  const ranking = await ask(`${address}/ranking`, { signal, expected: [404] });
  if (ranking.status === 200) waterfall?.rank(JSON.parse(ranking.text));
  ranked = etag;
}

function drawMissing() {
  document.title = "Not found · traceview";
  page.replaceChildren(
    back(),
    el(
      "section",
      { class: "empty" },
      el("img", { src: "/static/icon.svg", alt: "", width: 72, height: 72 }),
      el("h2", {}, "Trace not found"),
      el("p", {}, "It has not arrived yet, or it has been evicted. The page keeps checking."),
      el("pre", {}, id),
    ),
  );
}

/** @param {Trace} trace */
function draw(trace) {
  const shown = waterfall ?? new Waterfall(trace, remember);
  shown.update(trace);
  page.replaceChildren(back(), heading(trace, shown));
  if (trace.path.length > 1) page.append(path(trace, shown));
  if (trace.spans.length) page.append(shown.panel());
  if (trace.logs.length) page.append(logs(trace, shown));
  const isFirst = !waterfall;
  waterfall = shown;
  if (isFirst && trace.failure) shown.open(keyOf(trace.failure));
  shown.draw();
  if (!isFirst) return;
  shown.start();
  reveal();
}

function back() {
  return el("a", { class: "back", href: "/", onclick: goBack }, "← Traces");
}

/**
 * Return to the list with its search and scroll position, if that is where the user came from.
 * @param {MouseEvent} event
 */
function goBack(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !history.state?.fromList) return;
  event.preventDefault();
  history.back();
}

/** @param {Trace} trace @param {Waterfall} shown */
function heading(trace, shown) {
  const { summary, failure } = trace;
  const { scale } = shown;
  const [name, verb] = split(summary);
  document.title = `${summary.name} · traceview`;
  const copy = el("button", { type: "button", class: "quiet", onclick: () => copyText(copy, trace.trace_id) }, "Copy");
  /** @type {[string, string, (string | null)?, string?][]} */
  const facts = [
    ["Duration", summary.spans ? duration(summary.duration_ms) : "–"],
    ["Spans", String(summary.spans)],
    ["Log lines", String(summary.logs)],
    ["Service", summary.services.join(", ") || "–"],
    ["Start", clock(summary.start_ns), null, fullTime(summary.start_ns)],
  ];
  if (summary.errors) facts.splice(2, 0, ["Errors", String(summary.errors), "bad"]);
  if (summary.spans && scale.total > summary.duration_ms * 1.001) facts.splice(1, 0, ["First to last", duration(scale.total)]);
  const { spans, logs: lines } = trace.omitted;
  const omitted = [spans > 0 && plural(spans, "span"), lines > 0 && plural(lines, "log line")].filter(Boolean);
  return el(
    "section",
    { class: "heading" },
    el("h1", {}, (summary.status !== null || summary.error) && statusBadge(summary), el("span", {}, verb && el("b", { class: "verb" }, verb), name)),
    el("dl", { class: "facts" }, facts.map(([term, text, look, title]) => el("div", { class: look }, el("dt", {}, term), el("dd", { title }, text)))),
    failure && el(
      "p",
      { class: "failure" },
      el("button", { type: "button", class: "link", onclick: () => shown.focusSpan((span) => keyOf(span) === keyOf(failure), true) }, failure.name || "(no name)"),
      " failed",
      failure.type && el("span", {}, ": ", el("b", {}, failure.type)),
      failure.message && el("span", {}, failure.type ? " – " : ": ", failure.message),
    ),
    el("p", { class: "id" }, el("code", {}, trace.trace_id), copy, files(`/api/traces/${trace.trace_id}`)),
    summary.root_missing && summary.spans > 0 && el("p", { class: "note" }, "The trace was started elsewhere, for example by a browser, or its first span has not arrived yet."),
    omitted.length > 0 && el("p", { class: "note bad" }, `The trace is too large to store completely. Dropped: ${omitted.join(" and ")}.`),
  );
}

/** @param {HTMLElement} button @param {string} text */
async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it manually";
  }
  setTimeout(() => {
    button.textContent = "Copy";
  }, 1500);
}

/**
 * The steps of the critical path with the largest part of it.
 * @param {Trace} trace @param {Waterfall} shown
 */
function path(trace, shown) {
  const total = trace.summary.duration_ms;
  const named = groupBy(trace.path, ({ name }) => name);
  const steps = trace.path.map((step) =>
    el(
      "li",
      {},
      el("span", { class: "step" }, el("button", { type: "button", class: "link", onclick: () => shown.focusSpan((span) => keyOf(span) === keyOf(step)) }, step.name || "(no name)"), (named.get(step.name)?.length ?? 0) > 1 && el("span", { class: "soft" }, step.service)),
      el("span", { class: "soft" }, step.count > 1 ? `${step.count} spans` : ""),
      el("span", { class: "track" }, el("span", { class: "length", css: { width: `${(100 * step.critical_ms) / total}%` } })),
      el("span", { class: "ms" }, duration(step.critical_ms)),
      el("span", { class: "soft" }, `${Math.round((100 * step.critical_ms) / total)} %`),
    ),
  );
  return el(
    "section",
    { class: "panel steps", "aria-label": "Critical path" },
    el("h2", {}, "Critical path ", el("span", { class: "soft" }, "how much each span itself adds to the duration")),
    el("ol", {}, steps),
  );
}

/** @param {Trace} trace @param {Waterfall} shown */
function logs(trace, shown) {
  const names = new Map(trace.spans.map((span) => [span.span_id, span.name || "(no name)"]));
  const lines = trace.logs.map((line) => {
    const name = names.get(line.span_id ?? "");
    const jump = (/** @type {MouseEvent} */ event) => {
      event.preventDefault();
      const isSame = (/** @type {import("../wire").SpanView} */ span) => span.span_id === line.span_id;
      const isOwn = trace.spans.some((span) => isSame(span) && span.service === line.service);
      shown.focusSpan((span) => isSame(span) && (!isOwn || span.service === line.service));
    };
    const source = name === undefined ? el("span", { class: "source gone" }, "span not received") : el("button", { type: "button", class: "source", onclick: jump }, name);
    return lineOf(line, shown.scale, line.span_id !== null && source);
  });
  return el(
    "section",
    { class: "panel logs", "aria-label": "Log lines" },
    el("h2", {}, "Log lines ", el("span", { class: "soft" }, String(trace.logs.length))),
    el("div", { class: "lines" }, lines),
  );
}

// The address names the span that was opened last after a #. Both sides of a call can have one id,
// and then their kinds follow.

function reveal() {
  const [wanted, kind] = location.hash.slice(1).split("-");
  if (wanted) waterfall?.focusSpan((span) => span.span_id === wanted && (!kind || span.kind.toLowerCase() === kind), true);
}

/** @param {import("../wire").SpanView} span @param {boolean} isOpen */
function remember(span, isOpen) {
  const isNamed = location.hash === `#${span.span_id}` || location.hash === anchorOf(span);
  if (!isOpen && !isNamed) return;
  history.replaceState(history.state, "", `${location.pathname}${isOpen ? anchorOf(span) : ""}`);
}

/** @param {import("../wire").SpanView} span */
function anchorOf({ span_id, kind }) {
  return `#${span_id}${waterfall?.hasTwin(span_id, kind) ? `-${kind.toLowerCase()}` : ""}`;
}
