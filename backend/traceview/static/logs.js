// The log lines, the newest first: what is read first needs no scrolling, and older pages are added
// below without moving what is on screen. New lines arrive at the top, but wait while the user reads.

import { ask } from "./api.js";
import { withCompletion } from "./completion.js";
import { byId, clock, el, formOf, fullTime, inputOf, pairs, plural, shownValue } from "./dom.js";
import { hrefOf, textOf } from "./language.js";
import { levelOf } from "./span_look.js";

/** @typedef {import("../wire").LineView} Line */
/** @typedef {import("../wire").LinesView} Lines */
/** @typedef {import("../wire").OriginView} Origin */
/** @typedef {import("../wire").FileStatus} FileStatus */

const MAX_LINES = 2000; // on the page
const form = formOf("log-search");
const tally = byId("log-tally");
const note = byId("log-note");
const list = byId("log-lines");
const panel = /** @type {HTMLElement} */ (list.parentElement);
const empty = byId("log-empty");
const count = /** @type {HTMLAnchorElement} */ (byId("log-count"));
const waitingButton = byId("log-waiting");
const newer = byId("log-newer");
const newest = byId("log-newest");
const older = byId("log-older");

/** @type {{ line: Line, node: HTMLDetailsElement }[]} */
let shown = []; // the newest first
/** @type {Map<string, Origin>} */
const origins = new Map();
/** @type {Line[]} */
let waiting = []; // arrived while the user reads, the newest first
/** @type {number | null} */
let tail = null; // null: nothing is loaded
let around = ""; // a moment in nanoseconds
let hasNewer = false;
/** @type {"before" | "after" | null} */
let wanted = null; // the page that the user asked for
/** @type {FileStatus | null} */
let storage = null; // does not change while the server runs
let refresh = () => {};

/** @param {{ refresh: () => void }} actions */
export function startLogs(actions) {
  refresh = actions.refresh;
  const condition = inputOf(form, "q");
  const label = /** @type {HTMLLabelElement} */ (condition.parentElement);
  label.append(withCompletion(condition, { conditionOf: "logs" }));
  form.addEventListener("input", (event) => {
    if (event.target !== condition) search();
  });
  // A condition is complete when it is entered. A completion changes it without an event "change".
  condition.addEventListener("blur", () => {
    if (condition.value.trim() !== (new URLSearchParams(location.search).get("q") ?? "")) search();
  });
  condition.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.defaultPrevented && !event.isComposing) search();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  for (const [button, place] of /** @type {[HTMLElement, "before" | "after"][]} */ ([[older, "before"], [newer, "after"]])) {
    button.addEventListener("click", () => {
      wanted = place;
      refresh();
    });
  }
  waitingButton.addEventListener("click", () => {
    for (const { node } of shown) node.open = false;
    scrollTo(0, 0);
    admit();
  });
  addEventListener("scroll", () => {
    if (waiting.length && !isReading()) admit();
  });
}

/** Read the search from the address. */
export function readLogs() {
  const given = new URLSearchParams(location.search);
  for (const input of /** @type {HTMLInputElement[]} */ ([...form.elements])) {
    if (input.type === "checkbox") input.checked = given.has(input.name);
    else input.value = given.get(input.name) ?? "";
  }
  // A range that is not one of the choices remains in the address.
  const range = given.get("since") ?? "";
  const select = inputOf(form, "since");
  if (select.value !== range) {
    select.append(el("option", { value: range }, `Since ${range}`));
    select.value = range;
  }
  around = given.get("around") ?? "";
  document.title = "Logs · traceview";
  forget();
}

export function focusLogs() {
  inputOf(form, "text").focus();
}

function forget() {
  shown = [];
  waiting = [];
  tail = null;
  wanted = null;
  hasNewer = false;
  origins.clear();
  list.replaceChildren();
  for (const one of [older, newer, newest, waitingButton, empty, note, panel, count]) one.hidden = true;
  tally.textContent = "";
  tally.classList.remove("wrong");
}

function search() {
  around = "";
  const text = parameters().toString();
  history.replaceState(null, "", text ? `/logs?${text}` : "/logs");
  forget();
  refresh();
}

function parameters() {
  const given = [...new FormData(form)].map(([name, value]) => [name, String(value).trim()]);
  return new URLSearchParams(given.filter(([, value]) => value));
}

/** @param {AbortSignal} signal */
export async function refreshLogs(signal) {
  if (!storage) showStorage(JSON.parse((await ask("/api/storage", { signal })).text));
  const first = tail === null;
  const place = wanted;
  // A search with a mistake is not repeated, and lines do not arrive in the middle of others.
  if (tally.classList.contains("wrong") || (!first && !place && (hasNewer || around))) return;
  const given = parameters();
  if (first && around) given.set("around", around);
  else if (place === "before") given.set("before", shown[shown.length - 1].line.cursor);
  else if (place === "after") given.set("after", shown[0].line.cursor);
  else if (tail !== null) given.set("tail", String(tail));
  const { status, text } = await ask(`/api/logs?${given}`, { signal, expected: [400, 422] });
  wanted = null;
  const answer = JSON.parse(text);
  tally.classList.toggle("wrong", status !== 200);
  if (status !== 200) {
    tally.textContent = typeof answer.position === "number" ? `Column ${answer.position + 1}: ${answer.error}` : answer.error;
    return;
  }
  take(answer, first ? "first" : (place ?? "tail"));
}

/** @param {FileStatus} status */
function showStorage(status) {
  storage = status;
  const condition = inputOf(form, "q");
  condition.disabled = inputOf(form, "background").disabled = !status.stored;
  if (!status.stored) condition.placeholder = "needs a file";
}

/** @param {Lines} answer @param {"first" | "before" | "after" | "tail"} place */
function take(answer, place) {
  for (const [key, origin] of Object.entries(answer.origins)) origins.set(key, origin);
  const known = new Set([...shown.map(({ line }) => line.id), ...waiting.map(({ id }) => id)]);
  const lines = answer.lines.filter(({ id }) => !known.has(id));
  if (place === "tail") {
    tail = answer.tail;
    waiting = [...lines, ...waiting].slice(0, MAX_LINES);
    if (isReading()) drawState();
    else admit();
    return;
  }
  if (place === "first") {
    tail = answer.tail;
    hasNewer = answer.has_newer;
    older.hidden = !answer.has_older;
    drawNotes(answer);
  }
  if (place === "after") {
    hasNewer = answer.has_newer;
    // From here on, lines arrive again.
    if (!hasNewer) tail = answer.tail;
  }
  if (place === "before") older.hidden = !answer.has_older;
  insert(lines);
  drop(place === "before" ? "newest" : "oldest");
  drawState();
  if (place === "first" && around) list.querySelector(".moment")?.scrollIntoView({ block: "center" });
}

// The user reads if the top is out of sight or a line is open.
function isReading() {
  return scrollY > 60 || shown.some(({ node }) => node.open);
}

function admit() {
  insert(waiting, true);
  waiting = [];
  drop("oldest");
  drawState();
}

/**
 * Insert lines at their places by time, and by arrival among those of one time.
 * @param {Line[]} lines @param {boolean} [isNew]
 */
function insert(lines, isNew = false) {
  const made = lines.map((line) => ({ line, node: nodeOf(line, isNew) }));
  shown = [...shown, ...made].sort((one, other) => compare(other.line, one.line));
  const moment = around ? shown.findIndex(({ line }) => BigInt(line.time_ns) < BigInt(around)) : -1;
  /** @type {HTMLElement[]} */
  const nodes = shown.map(({ node }) => /** @type {HTMLElement} */ (node.parentElement));
  if (around) nodes.splice(moment < 0 ? nodes.length : moment, 0, el("li", { class: "moment" }, el("time", { title: fullTime(around) }, clock(around))));
  nodes.forEach((node, at) => {
    if (list.children[at] !== node) list.insertBefore(node, list.children[at] ?? null);
  });
  while (list.children.length > nodes.length) list.lastChild?.remove();
}

/** @param {Line} one @param {Line} other */
function compare(one, other) {
  const [first, second] = [BigInt(one.time_ns), BigInt(other.time_ns)];
  return first === second ? one.id - other.id : first < second ? -1 : 1;
}

/** @param {"newest" | "oldest"} which lines to remove from the page if there are too many */
function drop(which) {
  const surplus = shown.length - MAX_LINES;
  if (surplus <= 0) return;
  const gone = which === "newest" ? shown.splice(0, surplus) : shown.splice(MAX_LINES);
  for (const { node } of gone) node.parentElement?.remove();
  if (which === "newest") {
    hasNewer = true;
    waiting = [];
  } else older.hidden = false;
}

function drawState() {
  newer.hidden = !hasNewer;
  newest.hidden = !hasNewer && !around;
  newest.setAttribute("href", `/logs?${parameters()}`);
  waitingButton.hidden = !waiting.length;
  waitingButton.textContent = `↑ ${plural(waiting.length, "new line")}`;
  panel.hidden = !shown.length;
  tally.textContent = shown.length ? `${around ? `around ${clock(around)}: ` : hasNewer || older.hidden ? "" : "the newest "}${plural(shown.length, "line")}` : "";
  drawEmpty();
}

/** @param {Lines} answer */
function drawNotes({ parts, notes }) {
  count.hidden = !storage?.stored;
  count.href = hrefOf(textOf(parts, { calculations: "| count by severity every 1m", range: parts.range || "since 1h" }));
  const texts = [...notes];
  if (!storage?.stored) texts.push(`Only the newest lines are kept, in memory, and conditions are not available: ${storage?.reason}.`);
  note.hidden = !texts.length;
  note.textContent = texts.join(" ");
}

function drawEmpty() {
  empty.hidden = shown.length > 0;
  if (shown.length || empty.dataset.search === String(parameters())) return;
  empty.dataset.search = String(parameters());
  empty.replaceChildren(
    ...(empty.dataset.search
      ? [el("h2", {}, "No line matches"), el("p", {}, "Change the search, or choose a longer time.")]
      : [el("h2", {}, "No log lines yet"), el("p", {}, "Lines appear as soon as a service exports its logs over OTLP, also those outside of requests.")]),
  );
}

/** @param {Line} line @param {boolean} isNew */
function nodeOf(line, isNew) {
  const origin = origins.get(line.origin);
  const node = /** @type {HTMLDetailsElement} */ (
    el(
      "details",
      {},
      el(
        "summary",
        {},
        el("time", { class: "offset", title: fullTime(line.time_ns) }, dayOf(line.time_ns), clock(line.time_ns)),
        el("span", { class: `level ${levelOf(line)}` }, line.severity || "–"),
        el("span", { class: "body" }, bodyOf(line)),
        el("span", { class: "origin soft" }, origin?.scope.name || origin?.service || ""),
      ),
    )
  );
  // Most lines are never opened.
  node.addEventListener("toggle", () => node.open && node.childElementCount === 1 && node.append(detailsOf(line, origin)));
  const trace = line.trace_id && el("a", { class: "source", href: `/trace/${line.trace_id}${line.span_id ? `#${line.span_id}` : ""}` }, "trace");
  el("li", { class: `log ${levelOf(line)}${isNew ? " arrived" : ""}` }, node, trace);
  return node;
}

/** @param {string} ns */
function dayOf(ns) {
  const date = new Date(Number(BigInt(ns) / 1_000_000n));
  if (ns === "0" || date.toDateString() === new Date().toDateString()) return null;
  return el("span", { class: "day" }, date.toLocaleDateString("en-GB", { day: "numeric", month: "short" }), " ");
}

/** @param {Line} line */
function bodyOf({ body, event_name: name }) {
  if ((body === null || body === "") && name) return el("span", { class: "soft" }, name);
  return typeof body === "string" ? body : shownValue(body);
}

/** @param {Line} line @param {Origin | undefined} origin */
function detailsOf(line, origin) {
  const extra = { ...line.attributes, ...(line.event_name ? { "event name": line.event_name } : {}) };
  const resource = origin?.resource ?? {};
  return el(
    "div",
    { class: "opened-line" },
    pairs(extra) ?? el("p", { class: "soft" }, "No attributes."),
    el("p", { class: "soft" }, [origin?.scope.name, origin?.service, fullTime(line.time_ns)].filter(Boolean).join(" · ")),
    el("p", {}, el("a", { href: `/logs?around=${line.time_ns}` }, "Lines around this moment")),
    Object.keys(resource).length > 0 && el("details", { class: "more" }, el("summary", {}, `Resource (${Object.keys(resource).length})`), pairs(resource)),
  );
}
