// What is different about the selected rows: the keys with the largest differences, with the
// distributions of the selection and of the rest. A click on a value adds its condition.

import { ask, UnreachableError } from "./api.js";
import { byId, el, fullTime, plural } from "./dom.js";
import { number, quantity, timeLabel } from "./format.js";
import { hrefOf, instant, rangeOf, textOf, whereOf } from "./language.js";
import { ERRORS, onSelection, recordAs, rowsSelection, select } from "./selection.js";

/** @typedef {import("../wire").Result} Result */
/** @typedef {import("../wire").Parts} Parts */
/** @typedef {import("../wire").Difference} Difference */
/** @typedef {import("../wire").KeyDifference} KeyDifference */
/** @typedef {import("../wire").Share} Share */
/** @typedef {import("../wire").Bin} Bin */
/** @typedef {import("./selection.js").Selection} Selection */

const COMPARED = ["spans", "roots", "logs"];
const FIRST_KEYS = 6;

const place = byId("difference");
const choices = el("div", { class: "choices" });
const periods = el("div", {});
const answer = el("div", { class: "answer", "aria-live": "polite" });
/** @type {Result | null} */
let result = null;
/** @type {AbortController | null} */
let asking = null;

export function startDifference() {
  place.append(el("h2", {}, "What is different?"), choices, periods, answer);
  onSelection((selection) => {
    asking?.abort();
    answer.replaceChildren();
    if (!selection?.parameters.after) periods.replaceChildren();
    if (selection) show(selection);
  });
}

/**
 * Offer comparisons of the rows of a result.
 * @param {Result} drawn
 */
export function offerDifference(drawn) {
  const isSame = result !== null && textOf(result.parts, { range: "" }) === textOf(drawn.parts, { range: "" });
  result = drawn;
  place.hidden = !COMPARED.includes(drawn.dataset) || !drawn.rows.length;
  if (isSame) return;
  answer.replaceChildren();
  periods.replaceChildren();
  const hint = drawn.is_heat_map ? "Select a region of the heat map, or compare" : "Compare";
  choices.replaceChildren(
    el("span", { class: "soft" }, hint),
    el("button", { type: "button", class: "quiet", onclick: selectErrors }, "errors with the rest"),
    el("button", { type: "button", class: "quiet", onclick: offerPeriods }, "two periods"),
  );
}

/** Offer nothing, because there is no result. */
export function withdrawDifference() {
  result = null;
  place.hidden = true;
}

/**
 * Compare what an address says: the rows that meet a condition, or two periods.
 * @param {Result} drawn @param {Record<string, string>} parameters
 */
export function selectSides(drawn, { selection, after, before }) {
  if (selection) select(rowsSelection(drawn, selection));
  else if (after) selectPeriods(drawn, after, before ?? "");
}

function selectErrors() {
  if (result) select(rowsSelection(result, ERRORS));
}

function offerPeriods() {
  if (!result) return;
  select(null);
  const { since_ns, until_ns } = result;
  const middle = instant((BigInt(since_ns) + BigInt(until_ns)) / 2n);
  drawPeriods(`${middle}..${instant(until_ns)}`, `${instant(since_ns)}..${middle}`).focus();
}

/** @param {Result} drawn @param {string} after @param {string} before */
function selectPeriods(drawn, after, before) {
  if (!periods.childElementCount) drawPeriods(after, before);
  const sides = { after, before };
  select({ result: drawn, sides, names: ["this period", "the other one"], parameters: sides });
}

/**
 * Draw the inputs of two periods.
 * @param {string} now @param {string} then
 * @returns {HTMLInputElement} the first input
 */
function drawPeriods(now, then) {
  const after = period("after", "This period", now);
  const before = period("before", "Compared with", then);
  const form = el(
    "form",
    {
      class: "search periods",
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        if (result) selectPeriods(result, after.input.value.trim(), before.input.value.trim());
      },
    },
    after.label,
    before.label,
    el("button", { type: "submit", class: "quiet" }, "Compare"),
  );
  periods.replaceChildren(form, el("p", { class: "soft hint" }, "Periods are times or ages, such as ", el("code", {}, "30m..15m"), "; without an end they last until now."));
  return after.input;
}

/** @param {string} name @param {string} label @param {string} value */
function period(name, label, value) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "text", name, value, spellcheck: "false", required: true }));
  return { input, label: el("label", { class: "wide" }, `${label} `, input) };
}

/** @param {Selection} selection */
function show(selection) {
  const found = el("div", {});
  answer.replaceChildren(found);
  compare(found, selection);
  if (!selection.parameters.after) place.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

/**
 * Ask, and show the answer in a node.
 * @param {HTMLElement} node @param {Selection} selection
 */
async function compare(node, selection) {
  const { result: { parts, since_ns, until_ns }, sides, names } = selection;
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  node.replaceChildren(el("p", { class: "soft" }, "Comparing…"));
  const range = sides.after ? "" : rangeOf(since_ns, until_ns); // that of the result as it is drawn
  const q = textOf(parts, { calculations: "", order: "", limit: "", range });
  try {
    const { status, text } = await ask(`/api/difference?${new URLSearchParams({ q, ...sides })}`, { signal: mine.signal, expected: [400, 409, 422] });
    const content = JSON.parse(text);
    // Ages in the address would mean other rows later.
    if (content.after) recordAs(selection, { after: content.after, before: content.before });
    node.replaceChildren(...(status === 200 ? shown(content, parts, names) : [el("p", { class: "note bad" }, content.error)]));
  } catch (error) {
    if (mine.signal.aborted) return;
    if (!(error instanceof UnreachableError)) throw error;
    node.replaceChildren(el("p", { class: "note bad" }, "traceview is not responding. Select again to retry."));
  }
}

/** @param {Difference} found @param {Parts} parts @param {[string, string]} names @returns {HTMLElement[]} */
function shown(found, parts, names) {
  const card = (/** @type {KeyDifference} */ one) => keyCard(one, found, parts);
  const first = found.ranking.slice(0, FIRST_KEYS).map(card);
  const others = found.ranking.slice(FIRST_KEYS);
  const made = [
    el(
      "div",
      { class: "legend sides" },
      el("span", { class: "key chosen-side" }, `${names[0]}: ${plural(found.selection_rows, "row")}`),
      el("span", { class: "key other-side" }, `${names[1]}: ${plural(found.rest_rows, "row")}`),
      ...found.notes.map((note) => el("span", {}, note)),
    ),
    el("ol", { class: "differences" }, first),
  ];
  if (others.length) made.push(folded(`${plural(others.length, "more key")} with smaller differences`, others, card));
  if (found.implied.length) made.push(folded(found.implied.length === 1 ? "1 key that follows from the selection" : `${found.implied.length} keys that follow from the selection`, found.implied, card));
  return made;
}

/** @param {string} title @param {KeyDifference[]} keys @param {(one: KeyDifference) => HTMLElement} card */
function folded(title, keys, card) {
  const list = el("ol", { class: "differences" });
  const node = el("details", { class: "more" }, el("summary", {}, title), list);
  node.addEventListener("toggle", () => list.replaceChildren(...keys.map(card)), { once: true });
  return node;
}

/** @param {KeyDifference} one @param {Difference} found @param {Parts} parts */
function keyCard(one, found, parts) {
  const same = found.same.filter((other) => other.same_as === one.key).map((other) => other.key);
  const link = (/** @type {string} */ condition) => hrefOf(textOf(parts, { where: whereOf(parts, [condition]) }));
  return el(
    "li",
    { class: "difference", "data-key": one.key },
    el("h3", {}, one.key, el("span", { class: "soft", title: "How much the distributions differ, from 0 to 1" }, ` ${one.score.toFixed(2)}`)),
    one.selection_median !== null && el("p", { class: "soft" }, `Median ${amount(one, one.selection_median)}, of the rest ${amount(one, one.rest_median)}`),
    one.bins.length > 0 && histogram(one, link),
    one.values.length > 0 && values(one, link),
    same.length > 0 && el("p", { class: "soft same" }, `The same: ${same.join(", ")}`),
  );
}

/** @param {KeyDifference} one @param {(condition: string) => string} link */
function values(one, link) {
  const most = Math.max(...one.values.map((value) => Math.max(value.selection, value.rest)));
  return el(
    "ul",
    { class: "shares" },
    one.values.map((value) => {
      const text = valueText(one, value);
      const content = [
        el("span", { class: value.kind === "value" ? "of-value" : "of-value v-null", title: text }, text),
        el("span", { class: "pair-of-bars", "aria-hidden": "true" }, sideBar("chosen-side", value.selection / most), sideBar("other-side", value.rest / most)),
        el("span", { class: "number" }, percent(value.selection), el("span", { class: "unseen" }, " of the selection, ")),
        el("span", { class: "number soft" }, percent(value.rest), el("span", { class: "unseen" }, " of the rest")),
      ];
      return el("li", {}, value.condition ? el("a", { href: link(value.condition) }, content) : el("span", { class: "no-link" }, content));
    }),
  );
}

/** @param {string} look @param {number} share */
function sideBar(look, share) {
  return el("span", { class: `side-bar ${look}`, css: { width: `${share > 0 ? Math.max(1, 100 * share) : 0}%` } });
}

/** @param {KeyDifference} one @param {(condition: string) => string} link */
function histogram(one, link) {
  const most = Math.max(...one.bins.map((bin) => Math.max(bin.selection, bin.rest)));
  const column = (/** @type {string} */ look, /** @type {number} */ share) => el("span", { class: `column ${look}`, css: { height: `${share > 0 ? Math.max(2, (100 * share) / most) : 0}%` } });
  const [first, last] = [one.bins[0], one.bins[one.bins.length - 1]];
  return el(
    "div",
    { class: "histogram" },
    el(
      "div",
      { class: "columns" },
      one.bins.map((bin) => {
        const text = `${amount(one, bin.lower)} to ${amount(one, bin.upper)}: ${percent(bin.selection)} of the selection, ${percent(bin.rest)} of the rest`;
        const bars = [column("chosen-side", bin.selection), column("other-side", bin.rest)];
        return el("a", { href: link(bin.condition), title: text, "aria-label": text }, bars);
      }),
    ),
    el("div", { class: "ends soft", "aria-hidden": "true" }, el("span", {}, amount(one, first.lower)), el("span", {}, amount(one, last.upper))),
  );
}

/** @param {KeyDifference} one @param {Share} value */
function valueText(one, value) {
  if (value.kind === "missing") return "no value";
  if (value.kind === "other") return "other values";
  return value.value === "" ? "empty" : amount(one, value.value);
}

/** @param {KeyDifference} one @param {import("../wire").Cell} value */
function amount(one, value) {
  if (value === null) return "none";
  if (/(^|\.)time$/.test(one.key) && typeof value === "string" && /^\d{15,}$/.test(value)) {
    const ms = Number(BigInt(value) / 1_000_000n);
    return ms ? timeLabel(ms) : fullTime(value);
  }
  if (typeof value !== "number") return String(value);
  return one.unit ? quantity(value, one.unit) : one.bins.length ? number(value) : String(value);
}

/** @param {number} share */
function percent(share) {
  const rounded = 100 * share;
  return `${rounded === 0 || rounded >= 9.95 ? rounded.toFixed(0) : rounded.toFixed(1)} %`;
}
