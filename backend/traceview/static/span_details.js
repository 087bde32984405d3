// The details of a span: its times, statement, attributes, events, links and log lines.

import { duration, el, fullTime, inside, offset, pairs } from "./dom.js";
import { number } from "./format.js";
import { keyOf, lineOf } from "./span_look.js";

/** @typedef {import("../wire").SpanView} Span */
/** @typedef {import("../wire").Ranking} Ranking */

const STATEMENTS = ["db.query.text", "db.statement"];

/**
 * @param {Span} span
 * @param {import("../wire").TraceView} trace
 * @param {import("../wire").LogView[]} lines of the span
 * @param {import("./span_look.js").Scale} scale
 * @param {Ranking | null} ranking
 */
export function detailsOf(span, trace, lines, scale, ranking) {
  const critical = span.critical.reduce((sum, [, length]) => sum + length, 0);
  const facts = [
    ["Kind", span.kind],
    ["Status", span.status],
    ["Starts", span.start_ns === "0" ? "no time sent" : `${offset(scale.at(span.start_ns))}, at ${fullTime(span.start_ns)}`],
    ["Takes", BigInt(span.end_ns) < BigInt(span.start_ns) ? "it ends before it starts" : duration(span.duration_ms)],
    ["Self time", share(span.self_ms, span)],
    ["On the critical path", critical ? share(critical, span) : "no"],
    ["Rank", ""],
    ["Span", span.span_id],
    ["Parent", span.parent_span_id ?? "none"],
    ["Service", span.service || "–"],
    ["Scope", [span.scope.name, span.scope.version].filter(Boolean).join(" ") || "–"],
  ];
  const key = STATEMENTS.find((name) => typeof span.attributes[name] === "string");
  const { [key ?? ""]: statement, ...others } = span.attributes;
  const attributes = key ? others : span.attributes;
  const left = Object.entries(span.dropped).map(([what, count]) => `${count} ${what}`);
  const node = el(
    "div",
    { class: "details" },
    el("dl", { class: "facts small" }, facts.map(([term, text]) => el("div", { "data-fact": term }, el("dt", {}, term), el("dd", {}, text)))),
    span.status_message && el("p", { class: `message ${span.status === "ERROR" ? "bad" : ""}` }, span.status_message),
    part("Statement", key ? 1 : 0, key ? el("pre", { class: "stack", title: key }, trace.statements[String(statement)] ?? String(statement)) : null),
    part("Attributes", Object.keys(attributes).length, pairs(attributes)),
    part("Gaps", span.gaps.length, el("ul", { class: "gaps" }, span.gaps.map(([start, length]) => el("li", {}, el("span", { class: "offset" }, offset(start)), `${duration(length)} in which none of its children runs`)))),
    part("Events", span.events.length, el("ol", { class: "events" }, span.events.map(eventOf))),
    part("Links", span.links.length, el("ul", { class: "links" }, span.links.map((link) => linkOf(link, trace)))),
    part("Log lines", lines.length, el("div", { class: "lines" }, lines.map((line) => lineOf(line, scale)))),
    part("Scope attributes", Object.keys(span.scope.attributes).length, pairs(span.scope.attributes)),
    Object.keys(span.resource).length > 0 && el("details", { class: "more" }, el("summary", {}, `Resource (${Object.keys(span.resource).length})`), pairs(span.resource)),
    span.start_ns !== "0" && el("p", {}, el("a", { href: `/logs?around=${span.start_ns}` }, "Log lines around its start")),
    left.length > 0 && el("p", { class: "note" }, `Dropped by the sender: ${left.join(", ")}.`),
  );
  showRank(node, span, ranking);
  return node;
}

/** @param {number} ms @param {Span} span */
function share(ms, span) {
  return span.duration_ms ? `${duration(ms)} (${Math.round((100 * ms) / span.duration_ms)} %)` : duration(ms);
}

/**
 * The percentile of a span among those of its name.
 * @param {Span} span @param {Ranking | null} ranking
 */
export function rankOf(span, ranking) {
  const [place, percentile] = ranking?.spans[keyOf(span)] ?? [-1, 0];
  const peers = ranking?.peers[place];
  return peers ? { percentile, peers, text: `p${percentile} of ${number(peers.count)} ${peers.name}` } : null;
}

/**
 * Show the rank in the details of a span; it arrives later than they.
 * @param {HTMLElement} node @param {Span} span @param {Ranking | null} ranking
 */
export function showRank(node, span, ranking) {
  const fact = inside(node, '[data-fact="Rank"]');
  const rank = rankOf(span, ranking);
  fact.hidden = !rank;
  if (!rank || !ranking) return;
  const { p50_ms, p95_ms } = rank.peers;
  const text = inside(fact, "dd");
  text.textContent = rank.text;
  text.title = `Within ${ranking.hours} hours of the trace: median ${duration(p50_ms)}, p95 ${duration(p95_ms)}`;
}

/** @param {string} title @param {number} count @param {HTMLElement | null} content */
function part(title, count, content) {
  return count > 0 ? el("section", {}, el("h3", {}, title, count > 1 && el("span", { class: "soft" }, ` ${count}`)), content) : null;
}

/** @param {import("../wire").EventView} event */
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

/** @param {import("../wire").LinkView} link @param {import("../wire").TraceView} trace */
function linkOf(link, trace) {
  const target = `/trace/${link.trace_id}#${link.span_id}`;
  const text = `${link.trace_id} · ${link.span_id}`;
  const same = link.trace_id === trace.trace_id;
  return el("li", {}, link.here ? el("a", { href: target }, text) : el("code", {}, text), el("span", { class: "soft" }, same ? " this trace" : link.here ? "" : " not here"), pairs(link.attributes));
}
