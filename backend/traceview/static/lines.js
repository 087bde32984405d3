// A series over time: a line chart for each calculation, and a legend of the groups.

import { asMs, axes, chart, labelled, overPlot } from "./axes.js";
import { el, plural, svg } from "./dom.js";
import { quantity, timeLabel, valueTicks } from "./format.js";
import { conditionOf, hrefOf, rangeOf, rowsOf } from "./language.js";
import { rowsSelection, select } from "./selection.js";

/** @typedef {import("../wire").Result} Result */
/** @typedef {import("../wire").Column} Column */
/** @typedef {import("./axes.js").Frame} Frame */
/** @typedef {{ label: string, conditions: string[], look: string, values: (number | null)[][] }} Group values by calculation and bucket */

const HEIGHT = 230;
const LOOKS = 8;
const LISTED = 24; // groups in the legend; the others are folded
const TARGET = 24; // pixels that a pointer needs (WCAG 2.2, 2.5.8)
const COUNTED = /^(count|errors|count_distinct)\b/;
const CALCULATION = /^(count|rate|errors|sum)\b/; // 0 where there are no rows; the others have no value

/** @typedef {{ ns: string, value: number, href: string, label: string }} Mark a measurement on the chart, with a link */

/**
 * @param {Result} result
 * @param {{ marks?: Mark[], isSplit?: boolean }} [options] marks on the first chart; whether the
 * groups are calculations, without a condition
 * @returns {HTMLElement}
 */
export function drawLines(result, { marks = [], isSplit = false } = {}) {
  const step = BigInt(Math.round(result.step_ms * 1e6));
  const start = (BigInt(result.since_ns) / step) * step;
  const buckets = Number((BigInt(result.until_ns) - 1n - start) / step) + 1;
  const keys = result.columns.filter((one) => one.key && one.name !== "time");
  const calculations = result.columns.slice(1 + keys.length);
  const groups = groupsOf(result, keys, calculations, { start, step, buckets, isSplit });
  /** @type {((group: number | null) => void)[]} */
  const highlighters = [];
  const highlight = (/** @type {number | null} */ group) => {
    for (const one of highlighters) one(group);
  };
  const places = { result, start, step, buckets, groups };
  return el(
    "div",
    { class: "lines" },
    calculations.map((column, place) => el("section", { class: "panel" }, el("h2", {}, column.name, unitNote(column)), lineChart(places, column, place, highlighters, place ? [] : marks))),
    keys.length > 0 && legend(result, groups, highlight, isSplit),
  );
}

/** @param {Column} column */
function unitNote({ unit }) {
  const noun = unit === "ms" || unit === "s" ? "" : unit.replace(/[{}]/g, "");
  return noun && el("span", { class: "soft" }, ` ${noun}`);
}

/**
 * @param {Result} result @param {Column[]} keys @param {Column[]} calculations
 * @param {{ start: bigint, step: bigint, buckets: number, isSplit: boolean }} grid @returns {Group[]}
 */
function groupsOf(result, keys, calculations, { start, step, buckets, isSplit }) {
  // Without points of a metric, its value is unknown.
  const filled = (/** @type {Column} */ column) => new Array(buckets).fill(result.dataset !== "metrics" && CALCULATION.test(column.name) ? 0 : null);
  /** @type {Map<string, Group>} */
  const groups = new Map();
  for (const [time, ...cells] of result.rows) {
    const own = cells.slice(0, keys.length);
    const id = JSON.stringify(own);
    let group = groups.get(id);
    if (!group) {
      const values = calculations.map(filled);
      group = { label: own.map((cell) => (cell === null ? "(none)" : String(cell))).join(" · "), conditions: isSplit ? [] : keys.map((key, place) => conditionOf(key, own[place])), look: "", values };
      groups.set(id, group);
    }
    const bucket = Number((BigInt(String(time)) - start) / step);
    group.values.forEach((values, place) => {
      const cell = cells[keys.length + place];
      values[bucket] = typeof cell === "number" ? cell : null;
    });
  }
  if (!groups.size && !keys.length) groups.set("", { label: "", conditions: [], look: "", values: calculations.map(filled) });
  const ranked = [...groups.values()].sort((one, other) => rank(other) - rank(one));
  ranked.forEach((group, place) => {
    group.look = `line-${place % LOOKS} dash-${Math.floor(place / LOOKS) % 3}`;
  });
  return ranked;
}

/** @param {Group} group */
function rank({ values: [first] }) {
  return first.reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 0);
}

/**
 * @param {{ result: Result, start: bigint, step: bigint, buckets: number, groups: Group[] }} places
 * @param {Column} column @param {number} place @param {((group: number | null) => void)[]} highlighters
 * @param {Mark[]} marks
 */
function lineChart({ result, start, step, buckets, groups }, column, place, highlighters, marks) {
  const max = groups.reduce((most, group) => group.values[place].reduce((/** @type {number} */ top, value) => Math.max(top, value ?? 0), most), 0);
  const ticks = valueTicks(max, column.unit, COUNTED.test(column.name));
  const top = ticks[ticks.length - 1];
  const stepMs = Number(step) / 1e6;
  const fromMs = asMs(String(start));
  const toMs = fromMs + buckets * stepMs;
  const readout = el("p", { class: "readout" });
  const summary = `${column.name} over time, ${groups.length > 1 ? `${groups.length} groups, ` : ""}at most ${quantity(max, column.unit)}`;
  readout.textContent = summary;
  let bucket = buckets - 1;
  let chosen = 0;

  const node = chart(HEIGHT, (frame) => {
    const { left, right, top: above, bottom } = frame;
    const xOf = (/** @type {number} */ at) => left + ((at + 0.5) / buckets) * (right - left);
    const yOf = (/** @type {number} */ value) => bottom - (value / top) * (bottom - above);
    const paths = groups.map((group) => svg("path", { class: `line ${group.look}`, d: pathOf(group.values[place], xOf, yOf) }));
    const dot = svg("circle", { class: "dot-at", r: 4, visibility: "hidden" });
    const cross = svg("line", { class: "cross", y1: above, y2: bottom, visibility: "hidden" });
    const link = overPlot(el("a", { class: "over", draggable: "false" }), frame);

    const show = () => {
      const group = groups[chosen];
      const value = group?.values[place][bucket] ?? null;
      const from = start + step * BigInt(bucket);
      const x = xOf(bucket);
      cross.setAttribute("x1", String(x));
      cross.setAttribute("x2", String(x));
      cross.setAttribute("visibility", "visible");
      dot.setAttribute("visibility", value === null ? "hidden" : "visible");
      if (value !== null) {
        dot.setAttribute("cx", String(x));
        dot.setAttribute("cy", String(yOf(value)));
        dot.setAttribute("class", `dot-at ${group.look}`);
      }
      const shown = value === null ? "no value" : quantity(value, column.unit);
      const text = `${timeLabel(fromMs + bucket * stepMs, Math.min(1000, stepMs))}${group?.label ? ` ${group.label}` : ""}: ${shown}`;
      readout.textContent = text;
      link.setAttribute("aria-label", `${column.name}, ${text}. Open the rows; arrow keys move.`);
      link.setAttribute("href", hrefOf(rowsOf(result.parts, group?.conditions ?? [], rangeOf(String(from), String(from + step)))));
      highlight(groups.length > 1 ? chosen : null);
    };
    const highlight = (/** @type {number | null} */ wanted) => {
      paths.forEach((path, at) => {
        path.classList.toggle("faint", wanted !== null && at !== wanted);
      });
    };
    const hide = () => {
      cross.setAttribute("visibility", "hidden");
      dot.setAttribute("visibility", "hidden");
      readout.textContent = summary;
      highlight(null);
    };
    highlighters[place] = highlight;
    link.addEventListener("pointermove", (event) => {
      const box = link.getBoundingClientRect();
      bucket = clamp(Math.floor(((event.clientX - box.left) / box.width) * buckets), buckets);
      const y = above + event.clientY - box.top;
      chosen = nearest(groups, place, bucket, y, yOf);
      show();
    });
    link.addEventListener("pointerleave", hide);
    link.addEventListener("focus", show);
    link.addEventListener("blur", hide);
    link.addEventListener("keydown", (event) => {
      const moves = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Home: [-buckets, 0], End: [buckets, 0] });
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      bucket = clamp(bucket + move[0], buckets);
      chosen = clamp(chosen + move[1], groups.length);
      show();
    });
    link.setAttribute("aria-label", `${summary}. Arrow keys move.`);
    link.setAttribute("href", hrefOf(result.query));
    return [axes(frame, fromMs, toMs, ticks.map((tick) => labelled(tick, column.unit, top)), ...paths, cross, dot), link, ...placeMarks(marks, frame, fromMs, toMs, top)];
  });
  return el("div", {}, node, readout);
}

/**
 * Place marks, the largest first; those without room for a pointer are left out. A mark whose value
 * is beyond the chart is at its edge.
 * @param {Mark[]} marks @param {Frame} frame @param {number} fromMs @param {number} toMs @param {number} highest
 */
function placeMarks(marks, { left, right, top, bottom }, fromMs, toMs, highest) {
  /** @type {{ x: number, y: number, node: HTMLElement }[]} */
  const placed = [];
  for (const { ns, value, href, label } of [...marks].sort((one, other) => other.value - one.value)) {
    const x = left + ((asMs(ns) - fromMs) / (toMs - fromMs)) * (right - left);
    const y = bottom - Math.min(1, Math.max(0, value / highest)) * (bottom - top);
    const isFree = x > left && x < right && placed.every((one) => Math.abs(one.x - x) >= TARGET || Math.abs(one.y - y) >= TARGET);
    if (isFree) placed.push({ x, y, node: el("a", { class: `exemplar${value > highest ? " beyond" : ""}`, href, "aria-label": label, title: label, css: { left: `${x}px`, top: `${y}px` } }) });
  }
  return placed.sort((one, other) => one.x - other.x).map(({ node }) => node);
}

/**
 * @param {(number | null)[]} values @param {(at: number) => number} xOf @param {(value: number) => number} yOf
 */
function pathOf(values, xOf, yOf) {
  let path = "";
  values.forEach((value, at) => {
    if (value === null) return;
    const isStart = at === 0 || values[at - 1] === null;
    const isAlone = isStart && (at === values.length - 1 || values[at + 1] === null);
    path += `${isStart ? "M" : "L"}${xOf(at).toFixed(1)} ${yOf(value).toFixed(1)}${isAlone ? "h0.01" : ""}`;
  });
  return path;
}

/**
 * The group whose line is nearest to the pointer.
 * @param {Group[]} groups @param {number} place @param {number} bucket @param {number} y @param {(value: number) => number} yOf
 */
function nearest(groups, place, bucket, y, yOf) {
  let found = 0;
  let least = Number.POSITIVE_INFINITY;
  groups.forEach((group, at) => {
    const value = group.values[place][bucket];
    const distance = value === null ? Number.POSITIVE_INFINITY : Math.abs(yOf(value) - y);
    if (distance < least) [found, least] = [at, distance];
  });
  return found;
}

/** @param {number} at @param {number} count */
function clamp(at, count) {
  return Math.max(0, Math.min(count - 1, at));
}

/**
 * @param {Result} result @param {Group[]} groups @param {(group: number | null) => void} highlight @param {boolean} isSplit
 */
function legend(result, groups, highlight, isSplit) {
  const canCompare = ["spans", "roots", "logs"].includes(result.dataset);
  const items = groups.map((group, place) =>
    el(
      "li",
      { onmouseenter: () => highlight(place), onmouseleave: () => highlight(null), onfocusin: () => highlight(place), onfocusout: () => highlight(null) },
      el(isSplit ? "span" : "a", { class: "group", href: isSplit ? null : hrefOf(rowsOf(result.parts, group.conditions)) }, el("span", { class: `swatch ${group.look}` }), group.label),
      canCompare && compare(result, group.conditions.join(" and "), group.label),
    ),
  );
  const [first, others] = [items.slice(0, LISTED), items.slice(LISTED)];
  return el(
    "div",
    { class: "legend-of" },
    el("ul", { class: "legend-list", "aria-label": "Groups" }, first),
    others.length > 0 && el("details", { class: "more" }, el("summary", {}, plural(others.length, "more group")), el("ul", { class: "legend-list", "aria-label": "More groups" }, others)),
  );
}

/**
 * A button that selects the rows of a group.
 * @param {Result} result @param {string} condition @param {string} label
 */
export function compare(result, condition, label) {
  return el("button", { type: "button", class: "compare", title: "What is different about these?", "aria-label": `Compare ${label} with the rest`, onclick: () => select(rowsSelection(result, condition)) }, "≠");
}
