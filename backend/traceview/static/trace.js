// One trace: the waterfall, the details of each span, and the log lines.

import { ask } from "./api.js";
import { clock, closest, duration, el, fullTime, msBetween, offset, pairs, plural, shownValue, statusBadge } from "./dom.js";
import { split } from "./list.js";

const page = document.getElementById("trace");
const MAX_INDENT = 24;

let id = null;
let etag = null;
let drawn = null; // the trace on the page
let rows = []; // { span, node, panel } in order
const open = new Set(); // span ids with their details shown
const folded = new Set(); // span ids with their children hidden

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
  id = etag = drawn = null;
  rows = [];
  open.clear();
  folded.clear();
}

export async function refreshTrace(signal) {
  const response = await ask(`/api/traces/${encodeURIComponent(id)}`, { signal, headers: etag ? { "If-None-Match": etag } : {} });
  if (response.status === 304) return;
  if (response.status === 404) {
    if (!drawn) drawMissing();
    return;
  }
  const trace = await response.json();
  if (response.headers.get("ETag") === etag) return;
  etag = response.headers.get("ETag");
  const first = !drawn;
  draw(trace);
  if (first) reveal();
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

function draw(trace) {
  const focused = closest(document.activeElement, "[data-span]")?.dataset.span;
  drawn = trace;
  const scale = scaleOf(trace);
  const names = new Map(trace.spans.map((span) => [span.span_id, span.name]));
  const linesOf = Map.groupBy ? Map.groupBy(trace.logs, (line) => line.span_id) : byFirst(trace.logs);
  rows = trace.spans.map((span) => makeRow(span, scale, linesOf.get(span.span_id) ?? []));
  const parts = [back(), heading(trace, scale), trace.spans.length > 0 && waterfall(trace, scale), logs(trace, scale, names)];
  page.replaceChildren(...parts.filter(Boolean));
  applyFolds();
  if (focused) rows.find((row) => row.span.span_id === focused)?.node.querySelector(".open").focus({ preventScroll: true });
}

function byFirst(lines) {
  const groups = new Map();
  for (const line of lines) groups.set(line.span_id, [...(groups.get(line.span_id) ?? []), line]);
  return groups;
}

// From the first start to the last end. A span without a time must not stretch it over decades.
function scaleOf(trace) {
  const timed = trace.spans.filter((span) => span.start_ns !== "0");
  const moments = timed.length ? timed.map((span) => span.start_ns) : trace.logs.map((line) => line.time_ns);
  const from = moments.map(BigInt).reduce((a, b) => (b < a ? b : a), BigInt(moments[0] ?? 0));
  const ends = timed.map((span) => msBetween(from, span.start_ns) + span.duration_ms);
  const total = ends.reduce((a, b) => Math.max(a, b), 0.001);
  const share = (ms) => Math.min(100, Math.max(0, (100 * ms) / total));
  return { total, at: (ns) => msBetween(from, ns), share };
}

function back() {
  return el("a", { class: "back", href: "/", onclick: goBack }, "← Traces");
}

// Return to the list with its search and scroll position, if that is where the user came from.
function goBack(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || !history.state?.fromList) return;
  event.preventDefault();
  history.back();
}

function heading(trace, scale) {
  const { summary } = trace;
  const [name, verb] = split(summary);
  document.title = `${summary.name} · traceview`;
  const copy = el("button", { type: "button", class: "quiet", onclick: () => copyText(copy, trace.trace_id) }, "Copy");
  const facts = [
    ["Duration", summary.spans ? duration(summary.duration_ms) : "–"],
    scale.total > summary.duration_ms * 1.001 && summary.spans > 0 && ["First to last", duration(scale.total)],
    ["Spans", String(summary.spans)],
    summary.errors > 0 && ["Errors", String(summary.errors), "bad"],
    ["Log lines", String(summary.logs)],
    ["Service", summary.services.join(", ") || "–"],
    ["Start", clock(summary.start_ns), null, fullTime(summary.start_ns)],
  ].filter(Boolean);
  const { spans, logs: lines } = trace.omitted;
  const omitted = [spans > 0 && plural(spans, "span"), lines > 0 && plural(lines, "log line")].filter(Boolean);
  return el(
    "section",
    { class: "heading" },
    el("h1", {}, (summary.status !== null || summary.error) && statusBadge(summary), el("span", {}, verb && el("b", { class: "verb" }, verb), name)),
    el("dl", { class: "facts" }, facts.map(([term, text, look, title]) => el("div", { class: look }, el("dt", {}, term), el("dd", { title }, text)))),
    el("p", { class: "id" }, el("code", {}, trace.trace_id), copy),
    summary.root_missing && summary.spans > 0 && el("p", { class: "note" }, "The trace was started elsewhere, for example by a browser, or its first span has not arrived yet."),
    omitted.length > 0 && el("p", { class: "note bad" }, `The trace is too large to store completely. Dropped: ${omitted.join(" and ")}.`),
  );
}

async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Select it manually";
  }
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

const GROUPS = { server: "server", db: "database", http: "HTTP client", client: "client", messaging: "producer, consumer", internal: "internal" };

export function groupOf(span) {
  if (span.kind === "SERVER") return "server";
  if (span.kind === "PRODUCER" || span.kind === "CONSUMER") return "messaging";
  if (span.kind !== "CLIENT") return "internal";
  const names = Object.keys(span.attributes);
  if (names.some((name) => name.startsWith("db."))) return "db";
  return names.some((name) => name.startsWith("http.") || name.startsWith("url.")) ? "http" : "client";
}

function waterfall(trace, scale) {
  const present = new Set(trace.spans.map(groupOf));
  const legend = Object.entries(GROUPS)
    .filter(([group]) => present.has(group))
    .map(([group, name]) => el("span", { class: `key ${group}` }, name));
  if (trace.spans.some((span) => span.status === "ERROR")) legend.push(el("span", { class: "key error" }, "error"));
  const foldAll = (fold) => {
    folded.clear();
    if (fold) for (const { span } of rows) if (span.children) folded.add(span.span_id);
    applyFolds();
  };
  const list = el("ol", { class: "spans", onkeydown: moveByKey }, rows.map(({ node }) => node));
  const ticks = [0, 25, 50, 75, 100].map((share) =>
    el("span", { class: `tick at-${share}`, css: { left: `${share}%` } }, share ? duration((scale.total * share) / 100) : "0"),
  );
  return el(
    "section",
    { class: "panel waterfall", "aria-label": "Spans" },
    el(
      "div",
      { class: "tools" },
      el("div", { class: "legend" }, legend),
      trace.spans.some((span) => span.children) && el(
        "div",
        { class: "folds" },
        el("button", { type: "button", class: "quiet", onclick: () => foldAll(true) }, "Fold"),
        el("button", { type: "button", class: "quiet", onclick: () => foldAll(false) }, "Unfold"),
      ),
    ),
    el("div", { class: "ruler", "aria-hidden": "true" }, el("span", { class: "soft" }, "Span"), el("div", { class: "ticks" }, ticks)),
    list,
  );
}

function makeRow(span, scale, lines) {
  const group = groupOf(span);
  const start = span.start_ns === "0" ? 0 : scale.at(span.start_ns);
  const left = scale.share(start);
  const width = Math.min(100 - left, scale.share(span.duration_ms));
  const failed = span.status === "ERROR";
  const text = duration(span.duration_ms);
  const room = innerWidth < 800 ? 40 : 15; // maximum width of a label, in percent
  const side = left + width < 100 - room ? "after" : left > room ? "before" : "inside";
  const bar = el("span", { class: "extent", css: { left: `${left}%`, width: `${width}%` } });
  const label = el("span", { class: `label ${side}` }, text);
  if (side === "after") label.style.left = `${left + width}%`;
  else if (side === "before") label.style.right = `${100 - left}%`;
  else label.style.left = `${left}%`;
  const moments = [
    ...span.events.map((event) => ["event", event.time_ns, `${event.name} ${offset(event.offset_ms)}`]),
    ...lines.map((line) => [`line ${levelOf(line)}`, line.time_ns, oneLine(line)]),
  ].slice(0, 60);
  const marks = moments.map(([look, ns, title]) => el("span", { class: `mark ${look}`, title, css: { left: `${scale.share(scale.at(ns))}%` } }));

  const fold = span.children
    ? el("button", { type: "button", class: "fold", "aria-label": `Children of ${span.name}`, onclick: () => toggleFold(row) })
    : el("span", { class: "fold none" });
  const button = el(
    "button",
    { type: "button", class: "open", "aria-expanded": "false", title: span.name, onclick: () => toggleOpen(row) },
    el("span", { class: "dot" }),
    el("span", { class: "name" }, span.name || "(no name)"),
    group === "http" && el("span", { class: "aside soft" }, String(span.attributes["server.address"] ?? "")),
    failed && el("span", { class: "tag bad" }, "error"),
    span.parent_missing && el("span", { class: "tag" }, "parent not received"),
    lines.length > 0 && el("span", { class: "tag lines", title: plural(lines.length, "log line") }, plural(lines.length, "log")),
    el("span", { class: "hidden-count" }),
    el("span", { class: "kind" }, span.kind.toLowerCase()),
  );
  const node = el(
    "li",
    { class: `span ${group}${failed ? " error" : ""}`, "data-span": span.span_id, css: { "--depth": String(Math.min(span.depth, MAX_INDENT)) } },
    el("div", { class: "row" }, el("div", { class: "title" }, fold, button), el("div", { class: "lane", onclick: () => toggleOpen(row) }, bar, marks, label)),
  );
  const row = { span, node, lines, scale, button, fold, panel: null };
  if (open.has(span.span_id)) setOpen(row, true);
  return row;
}

function toggleOpen(row) {
  setOpen(row, !open.has(row.span.span_id));
}

function setOpen(row, isOpen) {
  const { span_id: key } = row.span;
  if (isOpen) open.add(key);
  else open.delete(key);
  row.button.setAttribute("aria-expanded", String(isOpen));
  row.node.classList.toggle("opened", isOpen);
  if (isOpen && !row.panel) row.panel = row.node.appendChild(details(row));
  if (row.panel) row.panel.hidden = !isOpen;
}

function toggleFold(row) {
  const { span_id: key } = row.span;
  if (!folded.delete(key)) folded.add(key);
  applyFolds();
}

// The rows are in display order, so the descendants of a span follow it with a greater depth.
function applyFolds() {
  let hiddenBelow = Infinity;
  let holder = null;
  let count = 0;
  const settle = () => {
    if (holder) holder.button.querySelector(".hidden-count").textContent = `+${count}`;
  };
  for (const row of rows) {
    const hidden = row.span.depth > hiddenBelow;
    row.node.hidden = hidden;
    if (hidden) {
      count += 1;
      continue;
    }
    settle();
    const isFolded = folded.has(row.span.span_id);
    hiddenBelow = isFolded ? row.span.depth : Infinity;
    holder = isFolded ? row : null;
    count = 0;
    row.button.querySelector(".hidden-count").textContent = "";
    if (row.span.children) row.fold.setAttribute("aria-expanded", String(!isFolded));
  }
  settle();
}

function moveByKey(event) {
  const at = event.target.closest("[data-span]");
  if (!at || !event.target.closest(".row") || event.altKey || event.ctrlKey || event.metaKey) return;
  const visible = rows.filter(({ node }) => !node.hidden);
  const place = visible.findIndex(({ node }) => node === at);
  const row = visible[place];
  const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: visible.length - 1 }[event.key];
  if (to !== undefined) visible[to]?.button.focus();
  else if (event.key === "ArrowLeft" && row.span.children && !folded.has(row.span.span_id)) toggleFold(row);
  else if (event.key === "ArrowRight" && folded.has(row.span.span_id)) toggleFold(row);
  else return;
  event.preventDefault();
}

function details({ span, lines, scale }) {
  const facts = [
    ["Kind", span.kind],
    ["Status", span.status],
    ["Starts", span.start_ns === "0" ? "no time sent" : `${offset(scale.at(span.start_ns))}, at ${fullTime(span.start_ns)}`],
    ["Takes", BigInt(span.end_ns) < BigInt(span.start_ns) ? "it ends before it starts" : duration(span.duration_ms)],
    ["Span", span.span_id],
    ["Parent", span.parent_span_id ?? "none"],
    ["Service", span.service || "–"],
    ["Scope", [span.scope.name, span.scope.version].filter(Boolean).join(" ") || "–"],
  ];
  const left = Object.entries(span.dropped).map(([what, count]) => `${count} ${what}`);
  return el(
    "div",
    { class: "details" },
    el("dl", { class: "facts small" }, facts.map(([term, text]) => el("div", {}, el("dt", {}, term), el("dd", {}, text)))),
    span.status_message && el("p", { class: `message ${span.status === "ERROR" ? "bad" : ""}` }, span.status_message),
    part("Attributes", Object.keys(span.attributes).length, pairs(span.attributes)),
    part("Events", span.events.length, el("ol", { class: "events" }, span.events.map(eventOf))),
    part("Links", span.links.length, el("ul", { class: "links" }, span.links.map(linkOf))),
    part("Log lines", lines.length, el("div", { class: "lines" }, lines.map((line) => lineOf(line, scale)))),
    part("Scope attributes", Object.keys(span.scope.attributes).length, pairs(span.scope.attributes)),
    Object.keys(span.resource).length > 0 && el("details", { class: "more" }, el("summary", {}, `Resource (${Object.keys(span.resource).length})`), pairs(span.resource)),
    left.length > 0 && el("p", { class: "note" }, `Dropped by the sender: ${left.join(", ")}.`),
  );
}

function part(title, count, content) {
  return count > 0 ? el("section", {}, el("h3", {}, title, count > 1 && el("span", { class: "soft" }, ` ${count}`)), content) : null;
}

function eventOf(event) {
  const { "exception.stacktrace": stack, ...others } = event.attributes;
  return el(
    "li",
    { class: event.name === "exception" ? "bad" : null },
    el("p", {}, el("span", { class: "offset" }, offset(event.offset_ms)), el("b", {}, event.name || "(no name)")),
    pairs(others),
    stack !== undefined && el("pre", { class: "stack" }, typeof stack === "string" ? stack : JSON.stringify(stack)),
  );
}

function linkOf(link) {
  const target = `/trace/${link.trace_id}#${link.span_id}`;
  const text = `${link.trace_id} · ${link.span_id}`;
  const same = link.trace_id === drawn.trace_id;
  return el("li", {}, link.here ? el("a", { href: target }, text) : el("code", {}, text), el("span", { class: "soft" }, same ? " this trace" : link.here ? "" : " not here"), pairs(link.attributes));
}

function logs(trace, scale, names) {
  if (!trace.logs.length) return null;
  return el(
    "section",
    { class: "panel logs", "aria-label": "Log lines" },
    el("h2", {}, "Log lines ", el("span", { class: "soft" }, String(trace.logs.length))),
    el("div", { class: "lines" }, trace.logs.map((line) => lineOf(line, scale, names))),
  );
}

function levelOf(line) {
  if (line.severity_number >= 17) return "bad";
  return line.severity_number >= 13 ? "odd" : "calm";
}

function oneLine(line) {
  const body = typeof line.body === "string" ? line.body : JSON.stringify(line.body);
  return `${line.severity} ${body}`.slice(0, 200);
}

function lineOf(line, scale, names = null) {
  const source = names && (names.get(line.span_id) ?? (line.span_id ? "span not received" : null));
  const known = names?.has(line.span_id);
  const extra = { ...line.attributes, ...(line.event_name ? { "event name": line.event_name } : {}) };
  const summary = el(
    "summary",
    {},
    el("span", { class: "offset", title: fullTime(line.time_ns) }, line.time_ns === "0" ? "no time" : offset(scale.at(line.time_ns))),
    el("span", { class: `level ${levelOf(line)}` }, line.severity || "–"),
    el("span", { class: "body" }, typeof line.body === "string" ? line.body : shownValue(line.body)),
    source && (known ? el("button", { type: "button", class: "source", onclick: (event) => jump(event, line.span_id) }, source) : el("span", { class: "source gone" }, source)),
  );
  return el(
    "details",
    { class: "log" },
    summary,
    pairs(extra) ?? el("p", { class: "soft" }, "No attributes."),
    el("p", { class: "soft" }, [line.scope.name, line.service].filter(Boolean).join(" · ")),
  );
}

function jump(event, spanId) {
  event.preventDefault();
  focusSpan(spanId, false);
}

// A link may name a span after a #.
function reveal() {
  const wanted = location.hash.slice(1);
  if (wanted) focusSpan(wanted, true);
}

function focusSpan(spanId, isOpened) {
  const place = rows.findIndex(({ span }) => span.span_id === spanId);
  if (place < 0) return;
  let { depth } = rows[place].span;
  for (let above = place - 1; above >= 0 && depth > 0; above -= 1) {
    if (rows[above].span.depth >= depth) continue;
    depth = rows[above].span.depth;
    folded.delete(rows[above].span.span_id);
  }
  applyFolds();
  const row = rows[place];
  if (isOpened) setOpen(row, true);
  row.button.focus({ preventScroll: true });
  row.node.scrollIntoView({ block: "nearest" });
}
