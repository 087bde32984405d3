// The query page: the text, and the result below it. The address has the whole query.

import { ask } from "./api.js";
import { offerDifference, selectSides, withdrawDifference } from "./difference.js";
import { byId, el, files, inside, plural } from "./dom.js";
import { timeSpan } from "./format.js";
import { asMs } from "./axes.js";
import { forgetSaving, showBoard, startBoard } from "./board.js";
import { withCompletion } from "./completion.js";
import { showForm, startControls } from "./controls.js";
import { drawHeatMap, selectRegion } from "./heatmap.js";
import { hrefOf, instant, textOf } from "./language.js";
import { drawLines } from "./lines.js";
import { RANGES } from "./ranges.js";
import { drawGroups, drawRows, drawValues } from "./results.js";
import { forgetSelection, recordSelections, selected } from "./selection.js";

/** @typedef {import("../wire").Result} Result */

const PERIOD_MS = 5000;
const form = byId("ask");
const input = /** @type {HTMLTextAreaElement} */ (byId("ask-text"));
const under = byId("ask-under");
const wrong = byId("ask-wrong");
const outcome = byId("outcome");
const summary = byId("outcome-summary");
const notes = byId("outcome-notes");
const drawing = byId("drawing");

/** @type {string | null} */
let text = null; // the query in the address; null: there is none
let address = ""; // its search part, as this page has read or written it
/** @type {Record<string, string>} */
let fixed = {}; // the time range of a selection in the address, in which the query runs
/** @type {Record<string, string> | null} */
let wanted = null; // the selection in the address, until the result is drawn
let ranAt = Number.NEGATIVE_INFINITY;
let key = ""; // of the drawn result

/** @param {{ go: (href: string) => void }} actions */
export function startQuery({ go }) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ranAt = Number.NEGATIVE_INFINITY;
    go(hrefOf(input.value.trim()));
  });
  startControls({ go });
  recordSelections(writeSelection);
  startBoard(() => text ?? "");
  const editor = inside(form, ".editor");
  editor.append(withCompletion(input, { place: belowCursor }));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
    event.preventDefault();
    /** @type {HTMLFormElement} */ (form).requestSubmit();
  });
  input.addEventListener("input", () => underline(null));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    key = "";
    ranAt = Number.NEGATIVE_INFINITY;
  });
}

/** Read the query from the address, and the selection in its result. */
export function readQuery() {
  const { q = null, since, until, ...selection } = /** @type {Record<string, string>} */ (Object.fromEntries(new URLSearchParams(location.search)));
  if (location.search === address && q !== null && input.value.trim() === q) return;
  address = location.search;
  text = q;
  fixed = since && until ? { since, until } : {};
  wanted = selection;
  input.value = q ?? "";
  ranAt = Number.NEGATIVE_INFINITY;
  key = "";
  underline(null);
  forgetSelection();
  withdrawDifference();
  outcome.hidden = true;
  forgetSaving();
  byId("board").hidden = q !== null;
  byId("builder").hidden = q === null;
  document.title = q ? `${q} · traceview` : "Query · traceview";
}

/**
 * Write a selection into the address, with the time range of the result that it is a part of.
 * @param {import("./selection.js").Selection | null} selection
 */
function writeSelection(selection) {
  fixed = selection ? { since: instant(selection.result.since_ns), until: instant(selection.result.until_ns) } : {};
  address = `?${new URLSearchParams({ q: text ?? "", ...fixed, ...selection?.parameters })}`;
  history.replaceState(history.state, "", address);
  address = location.search;
}

export function focusQuery() {
  input.focus();
}

/** @param {HTMLElement} list */
function belowCursor(list) {
  const mark = el("span", {});
  under.replaceChildren(input.value.slice(0, input.selectionStart), mark, input.value.slice(input.selectionStart));
  list.style.top = `${mark.offsetTop + mark.offsetHeight + 4}px`;
  list.style.left = `${Math.max(0, Math.min(mark.offsetLeft, under.clientWidth - list.offsetWidth))}px`;
}

/** @param {AbortSignal} signal */
export async function refreshQuery(signal) {
  if (!isDue()) return;
  if (text === null) {
    await showBoard(signal);
    ranAt = performance.now();
    return;
  }
  form.classList.add("running");
  let response;
  try {
    response = await ask(`/api/query?${new URLSearchParams({ q: text, ...fixed })}`, { signal, expected: [400, 409, 422] });
  } finally {
    if (!signal.aborted) form.classList.remove("running"); // otherwise a newer request runs
  }
  const { status, text: body } = response;
  ranAt = performance.now();
  const answer = JSON.parse(body);
  if (status !== 400) await showForm(text, signal);
  if (status === 200) draw(answer);
  else fail(status, answer);
  if (status === 200 && wanted) restore(answer, wanted);
  wanted = null;
}

/**
 * Select what the address says, in a result that was just drawn.
 * @param {Result} result @param {Record<string, string>} parameters
 */
function restore(result, parameters) {
  if (result.is_heat_map && parameters.region) selectRegion(parameters.region);
  else selectSides(result, parameters);
}

// A range that ends now moves on, unless the user is working with its result.
function isDue() {
  if (ranAt === Number.NEGATIVE_INFINITY) return true;
  if (text === null) return false;
  const isBusy = selected() !== null || "until" in fixed || drawing.contains(document.activeElement) || drawing.matches(":hover");
  return !isBusy && !/\buntil\b/.test(text) && performance.now() - ranAt > PERIOD_MS && !outcome.classList.contains("failed");
}

/** @param {number} status @param {{ error: string, position?: number | null }} answer */
function fail(status, { error, position = null }) {
  key = "";
  outcome.hidden = false;
  outcome.classList.add("failed");
  withdrawDifference();
  summary.textContent = "";
  byId("outcome-files").replaceChildren();
  notes.replaceChildren();
  if (status === 400) {
    underline(error, position);
    drawing.replaceChildren();
    return;
  }
  const head = status === 409 ? "Queries are not available" : "This query did not finish";
  const more = status === 409 ? [el("p", {}, "Install it with ", el("code", {}, "pip install duckdb"), " if it is missing. The newest traces are still listed, from memory."), el("p", {}, el("a", { href: "/" }, "Go to the traces"))] : [];
  drawing.replaceChildren(el("section", { class: "empty" }, el("h2", {}, head), el("p", {}, error), ...more));
}

/** @param {Result} result */
function draw(result) {
  const { took_ms, ...lasting } = result;
  const newKey = JSON.stringify(lasting);
  outcome.hidden = false;
  outcome.classList.remove("failed");
  const range = timeSpan(asMs(result.since_ns), asMs(result.until_ns));
  summary.textContent = `${countOf(result)} · ${range} · ${took_ms < 10 ? took_ms.toFixed(1) : Math.round(took_ms)} ms`;
  if (newKey === key) return;
  key = newKey;
  offerDifference(result);
  notes.replaceChildren(...notesOf(result));
  const isItems = ["spans", "roots", "logs"].includes(result.dataset) && !result.columns.some((one) => !one.key);
  byId("outcome-files").replaceChildren(files("/api/query", `?${new URLSearchParams({ q: text ?? "", ...fixed })}`, isItems ? ["csv", "jsonl"] : ["csv"]));
  drawing.replaceChildren(kindOf(result));
}

/** @param {Result} result */
function countOf(result) {
  const { length } = result.rows;
  if (result.is_heat_map) return `${plural(length, "cell")} with rows`;
  if (result.step_ms) return `one value every ${stepText(result.step_ms)}`;
  return plural(length, result.columns.some((one) => !one.key) ? "group" : "row");
}

/** @param {number} ms */
function stepText(ms) {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${ms / 1000} s`;
  return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
}

/** @param {Result} result @returns {Node[]} */
function notesOf(result) {
  const made = [];
  if (result.truncated) made.push(el("li", {}, "There are more; a larger ", el("code", {}, "limit"), " shows them."));
  for (const note of result.notes) {
    const hides = note.includes("background work");
    made.push(el("li", {}, hides ? note.split(";")[0] : note, hides && el("span", {}, " · ", el("a", { href: hrefOf(textOf(result.parts, { background: "with background" })) }, "Include it"))));
  }
  return made;
}

/** @param {Result} result */
function kindOf(result) {
  const isValues = result.columns.every((one) => !one.key) && !result.step_ms;
  if (!result.rows.length && !(result.step_ms && !result.is_heat_map)) return nothing(result);
  if (result.is_heat_map) return drawHeatMap(result);
  if (result.step_ms) return drawLines(result);
  if (isValues) return drawValues(result);
  return result.columns.some((one) => !one.key) ? drawGroups(result) : drawRows(result);
}

/** @param {Result} result */
function nothing(result) {
  const lengthMs = asMs(result.until_ns) - asMs(result.since_ns);
  const wider = RANGES.filter(({ ms }) => ms > lengthMs).map(({ since, length }) => el("a", { href: hrefOf(textOf(result.parts, { range: `since ${since}` })) }, length));
  return el(
    "section",
    { class: "empty" },
    el("img", { src: "/static/icon.svg", alt: "", width: 72, height: 72 }),
    el("h2", {}, "Nothing matches"),
    el("p", {}, "There are no such rows in the time range.", wider.length > 0 && [" Try a longer one: ", ...wider.flatMap((link, place) => [place ? ", " : "", link]), "."]),
  );
}

/**
 * Mark the place of a mistake in the text, and say what it is.
 * @param {string | null} reason null: there is none
 * @param {number | null} [position]
 */
function underline(reason, position = null) {
  wrong.hidden = reason === null;
  wrong.textContent = reason ?? "";
  input.setAttribute("aria-invalid", String(reason !== null));
  under.replaceChildren();
  if (reason === null || position === null) return;
  // The API counts code points, and this text consists of UTF-16 units.
  const points = [...input.value];
  const rest = points.slice(position).join("");
  const token = /^(?:[\w.-]+|"[^"]*"?|'[^']*'?|`[^`]*`?|\S)/.exec(rest)?.[0] ?? " ";
  under.append(points.slice(0, position).join(""), el("mark", {}, token), rest.slice(token.length));
  wrong.textContent = `${reason} (column ${position + 1})`;
}
