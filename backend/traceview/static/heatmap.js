// A heat map, time by value. A cell leads to its rows. A region is selected by dragging, with
// Shift and the arrow keys, or with the inputs below.

import { asMs, axes, chart, overPlot, tickLabel } from "./axes.js";
import { el, plural } from "./dom.js";
import { number, quantity, timeSpan } from "./format.js";
import { hrefOf, instant, literal, rowsOf, textOf, whereOf } from "./language.js";
import { onSelection, select } from "./selection.js";

/** @typedef {import("../wire").Result} Result */
/** @typedef {{ fromTime: number, toTime: number, fromBand: number, toBand: number }} Region cells, both ends inclusive */
/** @typedef {ReturnType<typeof gridOf>} Grid */

const HEIGHT = 320;
const BANDS_PER_DOUBLING = 4;
const DRAG_PX = 4;

/** @type {(() => void) | null} */
let clear = null; // the region of the heat map on the page
onSelection((selection) => {
  if (selection === null) clear?.();
});

/** @param {Result} result @returns {HTMLElement} */
export function drawHeatMap(result) {
  const grid = gridOf(result);
  if (!grid.max) return el("section", { class: "panel" });
  /** @type {Region | null} */
  let region = null;
  const cursor = { time: grid.buckets - 1, band: 0 };
  const readout = el("p", { class: "readout" });
  const chosen = el("div", { class: "chosen", hidden: true });
  const summary = `${plural(grid.total, "row")}. Drag to select a region, or use Shift and the arrow keys.`;
  readout.textContent = summary;
  /** @type {(() => void) | null} */
  let redraw = null;

  /** @param {Region | null} wanted */
  const choose = (wanted) => {
    region = wanted;
    redraw?.();
    chosen.hidden = !region;
    fields.fill(region ?? whole(grid));
    if (!region) {
      select(null);
      return;
    }
    const made = selectionOf(result, grid, region);
    const { since, until, condition } = made;
    const where = whereOf(result.parts, [condition]);
    chosen.replaceChildren(
      el("b", {}, `${number(countIn(grid, region))} of ${plural(grid.total, "row")} selected`),
      el("span", { class: "soft" }, made.label),
      el("a", { href: hrefOf(rowsOf(result.parts, [condition], `since ${since} until ${until}`)) }, "List the rows"),
      el("a", { href: hrefOf(textOf(result.parts, { where, range: `since ${since} until ${until}` })) }, "Zoom in"),
      el("button", { type: "button", class: "quiet", onclick: () => choose(null) }, "Clear"),
    );
    select(made);
  };
  const fields = regionFields(grid, choose);
  clear = () => {
    if (region) choose(null);
  };

  const node = chart(HEIGHT, (frame) => {
    const width = frame.right - frame.left;
    const height = frame.bottom - frame.top;
    const canvas = /** @type {HTMLCanvasElement} */ (overPlot(el("canvas", { "aria-hidden": "true" }), frame));
    paint(canvas, grid, width, height);
    const mark = el("div", { class: "region", hidden: true });
    const here = el("div", { class: "cell-at", hidden: true });
    const link = overPlot(el("a", { class: "over drags", draggable: "false", href: hrefOf(result.query), "aria-label": "Heat map. Arrow keys move between cells, Shift and arrow keys select, Enter lists the rows, Escape clears." }, mark, here), frame);

    /** @param {HTMLElement} box @param {Region} of */
    const put = (box, of) => {
      box.style.left = `${(100 * of.fromTime) / grid.buckets}%`;
      box.style.width = `${(100 * (of.toTime - of.fromTime + 1)) / grid.buckets}%`;
      box.style.bottom = `${(100 * of.fromBand) / grid.bands}%`;
      box.style.height = `${(100 * (of.toBand - of.fromBand + 1)) / grid.bands}%`;
      box.hidden = false;
    };
    const show = () => {
      const cell = single(cursor);
      put(here, cell);
      const { condition, since, until, label } = selectionOf(result, grid, cell);
      const text = `${label}: ${plural(countIn(grid, cell), "row")}`;
      readout.textContent = text;
      link.setAttribute("aria-label", `${text}. Enter lists them; arrow keys move, Shift selects.`);
      link.setAttribute("href", hrefOf(rowsOf(result.parts, [condition], `since ${since} until ${until}`)));
    };
    redraw = () => {
      if (region) put(mark, region);
      else mark.hidden = true;
    };
    redraw();

    /** @param {PointerEvent} event */
    const cellAt = (event) => {
      const box = link.getBoundingClientRect();
      return {
        time: clamp(Math.floor(((event.clientX - box.left) / box.width) * grid.buckets), grid.buckets),
        band: clamp(Math.floor(((box.bottom - event.clientY) / box.height) * grid.bands), grid.bands),
      };
    };
    /** @type {{ time: number, band: number, x: number, y: number } | null} */
    let from = null;
    let dragged = false;
    link.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      from = { ...cellAt(event), x: event.clientX, y: event.clientY };
      dragged = false;
    });
    link.addEventListener("pointermove", (event) => {
      Object.assign(cursor, cellAt(event));
      show();
      if (!from) return;
      if (!dragged && Math.hypot(event.clientX - from.x, event.clientY - from.y) < DRAG_PX) return;
      if (!dragged) link.setPointerCapture(event.pointerId);
      dragged = true;
      region = between(from, cursor);
      put(mark, region);
      here.hidden = true;
    });
    link.addEventListener("pointerup", () => {
      if (from && dragged) choose(between(from, cursor));
      from = null;
    });
    link.addEventListener("pointercancel", () => {
      from = null;
    });
    link.addEventListener("click", (event) => {
      if (dragged) event.preventDefault(); // the end of a drag is not a click on the link
      dragged = false;
    });
    link.addEventListener("pointerleave", () => {
      here.hidden = true;
      readout.textContent = summary;
    });
    /** @type {{ time: number, band: number } | null} */
    let anchor = null;
    link.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && region) {
        event.preventDefault();
        anchor = null;
        choose(null);
        return;
      }
      const moves = /** @type {Record<string, [number, number]>} */ ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] });
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      if (event.shiftKey) anchor ??= { ...cursor };
      else anchor = null;
      cursor.time = clamp(cursor.time + move[0], grid.buckets);
      cursor.band = clamp(cursor.band + move[1], grid.bands);
      show();
      if (anchor) choose(between(anchor, cursor));
    });
    link.addEventListener("focus", show);
    link.addEventListener("blur", () => {
      here.hidden = true;
      anchor = null;
    });
    return [axes(frame, grid.fromMs, grid.toMs, bandTicks(grid)), canvas, link];
  });
  return el(
    "section",
    { class: "panel heat" },
    el("h2", {}, `${grid.column.key} over time`, el("span", { class: "ramp", "aria-hidden": "true" }, "1", el("span", {}), number(grid.max))),
    node,
    readout,
    chosen,
    fields.node,
  );
}

/** @param {Result} result */
function gridOf(result) {
  const step = BigInt(Math.round(result.step_ms * 1e6));
  const start = (BigInt(result.since_ns) / step) * step;
  const buckets = Number((BigInt(result.until_ns) - 1n - start) / step) + 1;
  const column = result.columns[1];
  const positive = result.rows.map((row) => Number(row[1])).filter((from) => from > 0).map(bandOf);
  const hasZero = result.rows.some((row) => !Number(row[1]));
  const lowest = positive.length ? Math.min(...positive) : 0;
  // The lowest band is that of the values up to 0, if there are any.
  const offset = hasZero ? 1 : 0;
  const bands = Math.max(1, (positive.length ? Math.max(...positive) - lowest + 1 : 0) + offset);
  const cells = new Map();
  let total = 0;
  let max = 0;
  for (const [time, from, , count] of result.rows) {
    const at = Number((BigInt(String(time)) - start) / step);
    const band = Number(from) ? bandOf(Number(from)) - lowest + offset : 0;
    cells.set(at * bands + band, Number(count));
    total += Number(count);
    max = Math.max(max, Number(count));
  }
  const fromMs = asMs(String(start));
  return { step, start, buckets, bands, lowest, offset, cells, total, max, column, fromMs, toMs: fromMs + (buckets * Number(step)) / 1e6 };
}

/** @param {number} from the lower edge of a band */
function bandOf(from) {
  return Math.round(Math.log2(from) * BANDS_PER_DOUBLING);
}

/** @param {Grid} grid @param {number} band the lower edge of a band on the screen */
function edge(grid, band) {
  return band < grid.offset ? 0 : 2 ** ((band - grid.offset + grid.lowest) / BANDS_PER_DOUBLING);
}

/** @param {Grid} grid @param {Region} region */
function countIn(grid, region) {
  let count = 0;
  for (let time = region.fromTime; time <= region.toTime; time++) for (let band = region.fromBand; band <= region.toBand; band++) count += grid.cells.get(time * grid.bands + band) ?? 0;
  return count;
}

/** @param {Grid} grid @returns {Region} */
function whole(grid) {
  return { fromTime: 0, toTime: grid.buckets - 1, fromBand: 0, toBand: grid.bands - 1 };
}

/** @param {{ time: number, band: number }} cell @returns {Region} */
function single({ time, band }) {
  return { fromTime: time, toTime: time, fromBand: band, toBand: band };
}

/** @param {{ time: number, band: number }} one @param {{ time: number, band: number }} other @returns {Region} */
function between(one, other) {
  return { fromTime: Math.min(one.time, other.time), toTime: Math.max(one.time, other.time), fromBand: Math.min(one.band, other.band), toBand: Math.max(one.band, other.band) };
}

/**
 * @param {Result} result @param {Grid} grid @param {Region} region
 * @returns {import("./selection.js").Selection}
 */
function selectionOf(result, grid, region) {
  const { column } = grid;
  const [low, high] = [edge(grid, region.fromBand), edge(grid, region.toBand + 1)];
  const upper = high > 0 ? `${column.key} < ${literal(column, high)}` : `${column.key} <= ${literal(column, 0)}`;
  const condition = region.fromBand < grid.offset ? upper : `${column.key} >= ${literal(column, low)} and ${upper}`;
  const from = grid.start + grid.step * BigInt(region.fromTime);
  const to = grid.start + grid.step * BigInt(region.toTime + 1);
  const times = timeSpan(asMs(String(from)), asMs(String(to)));
  const label = `${times}, ${quantity(low, column.unit)} to ${quantity(high, column.unit)}`;
  return { query: result.query, parts: result.parts, condition, since: instant(from), until: instant(to), label };
}

/** @param {Grid} grid */
function bandTicks(grid) {
  const ticks = grid.offset ? [{ at: 0.5 / grid.bands, label: "0" }] : [];
  const bands = grid.bands - grid.offset;
  const decades = (bands / BANDS_PER_DOUBLING) * Math.log10(2);
  const marks = decades > 3 ? [1] : decades > 1.2 ? [1, 3] : [1, 1.5, 2, 3, 4, 5, 7];
  const first = Math.floor(Math.log10(edge(grid, grid.offset)));
  for (let power = first; power <= first + decades + 1; power++) {
    for (const mark of marks) {
      const value = mark * 10 ** power;
      const at = (Math.log2(value) * BANDS_PER_DOUBLING - grid.lowest + grid.offset) / grid.bands;
      if (at >= grid.offset / grid.bands && at <= 1) ticks.push({ at, label: tickLabel(value, grid.column.unit) });
    }
  }
  return ticks;
}

/**
 * @param {HTMLCanvasElement} canvas @param {Grid} grid @param {number} width @param {number} height
 */
function paint(canvas, grid, width, height) {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--heat");
  const most = Math.log1p(grid.max);
  const xOf = (/** @type {number} */ time) => Math.round((time / grid.buckets) * canvas.width);
  const yOf = (/** @type {number} */ band) => Math.round((1 - band / grid.bands) * canvas.height);
  for (const [cell, count] of grid.cells) {
    const [time, band] = [Math.floor(cell / grid.bands), cell % grid.bands];
    context.globalAlpha = 0.16 + (0.84 * Math.log1p(count)) / most;
    context.fillRect(xOf(time), yOf(band + 1), Math.max(1, xOf(time + 1) - xOf(time)), Math.max(1, yOf(band) - yOf(band + 1)));
  }
}

/**
 * Inputs for the edges of a region.
 * @param {Grid} grid @param {(region: Region | null) => void} choose
 */
function regionFields(grid, choose) {
  const stepMs = Number(grid.step) / 1e6;
  const unit = grid.column.unit;
  const time = (/** @type {string} */ name, /** @type {string} */ label) => el("label", {}, label, el("input", { type: "datetime-local", name, step: stepMs < 1000 ? "0.001" : "1", required: true }));
  const value = (/** @type {string} */ name, /** @type {string} */ label) => el("label", {}, `${label}${unit ? `, ${unit}` : ""}`, el("input", { type: "number", name, step: "any", min: "0", required: true }));
  const form = /** @type {HTMLFormElement} */ (el("form", { class: "search edges" }, time("from", "From"), time("to", "To"), value("least", "At least"), value("most", "Below"), el("button", { type: "submit", class: "quiet" }, "Select")));
  const inputs = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("input")]);
  const fill = (/** @type {Region} */ region) => {
    const texts = [local(grid.fromMs + region.fromTime * stepMs), local(grid.fromMs + (region.toTime + 1) * stepMs), short(edge(grid, region.fromBand)), short(edge(grid, region.toBand + 1))];
    inputs.forEach((input, place) => {
      input.value = texts[place];
    });
  };
  fill(whole(grid));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [from, to] = inputs.slice(0, 2).map((input) => (new Date(input.value).getTime() - grid.fromMs) / stepMs);
    const [least, most] = inputs.slice(2).map((input) => band(Number(input.value)));
    const fromTime = clamp(Math.floor(from + 0.001), grid.buckets);
    const fromBand = clamp(Math.floor(least + 0.01), grid.bands);
    choose({ fromTime, toTime: Math.max(fromTime, clamp(Math.ceil(to - 0.001) - 1, grid.buckets)), fromBand, toBand: Math.max(fromBand, clamp(Math.ceil(most - 0.01) - 1, grid.bands)) });
  });
  /** @param {number} from */
  const band = (from) => (from > 0 ? Math.log2(from) * BANDS_PER_DOUBLING - grid.lowest + grid.offset : 0);
  return { node: el("details", { class: "more" }, el("summary", {}, "Select by numbers"), form), fill };
}

/** @param {number} ms */
function local(ms) {
  const date = new Date(ms);
  const text = new Date(ms - date.getTimezoneOffset() * 60_000).toISOString();
  return text.slice(0, date.getMilliseconds() ? 23 : 19);
}

/** @param {number} value */
function short(value) {
  return String(Number(value.toPrecision(4)));
}

/** @param {number} at @param {number} count */
function clamp(at, count) {
  return Math.max(0, Math.min(count - 1, at));
}
