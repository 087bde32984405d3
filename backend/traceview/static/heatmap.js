// A heat map, time by value. A cell leads to its rows. A region is selected by dragging, with
// Shift and the arrow keys, or with the inputs below.

import { asMs, axes, chart, overPlot, tickLabel } from "./axes.js";
import { el, plural } from "./dom.js";
import { number, quantity, timeSpan } from "./format.js";
import { hrefOf, instant, literal, rowsOf, textOf, whereOf } from "./language.js";
import { onSelection, select, selected } from "./selection.js";

/** @typedef {import("../wire").Result} Result */
/** @typedef {{ fromTime: number, toTime: number, fromBand: number, toBand: number }} Region cells, both ends inclusive */
/** @typedef {ReturnType<typeof gridOf>} Grid */

const HEIGHT = 320;
const BANDS_PER_DOUBLING = 4;
const DRAG_PX = 4;

/** @type {{ grid: Grid, mark: (wanted: Region | null) => void, choose: (wanted: Region | null) => void } | null} */
let map = null; // the one on the page
onSelection((selection) => {
  if (!selection?.parameters.region) map?.mark(null);
});

/**
 * Select the region of the heat map on the page that an address names.
 * @param {string} text as `boundsOf` writes it
 */
export function selectRegion(text) {
  const region = map && regionOf(map.grid, text);
  if (region) map?.choose(region);
}

/** @param {Result} result @returns {HTMLElement} */
export function drawHeatMap(result) {
  const grid = gridOf(result);
  map = null;
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
  const mark = (wanted) => {
    region = wanted;
    redraw?.();
    chosen.hidden = !region;
    fields.fill(region ?? whole(grid));
    if (!region) return;
    const { since, until, condition, label } = boundsOf(grid, region);
    const where = whereOf(result.parts, [condition]);
    chosen.replaceChildren(
      el("b", {}, `${number(countIn(grid, region))} of ${plural(grid.total, "row")} selected`),
      el("span", { class: "soft" }, label),
      el("a", { href: hrefOf(rowsOf(result.parts, [condition], `since ${since} until ${until}`)) }, "List the rows"),
      el("a", { href: hrefOf(textOf(result.parts, { where, range: `since ${since} until ${until}` })) }, "Zoom in"),
      el("button", { type: "button", class: "quiet", onclick: () => choose(null) }, "Clear"),
    );
  };
  const choose = (/** @type {Region | null} */ wanted) => {
    mark(wanted);
    select(wanted && selectionOf(result, grid, wanted));
  };
  const fields = regionFields(grid, choose);
  map = { grid, mark, choose };

  const node = chart(HEIGHT, (frame) => {
    const width = frame.right - frame.left;
    const height = frame.bottom - frame.top;
    const canvas = /** @type {HTMLCanvasElement} */ (overPlot(el("canvas", { "aria-hidden": "true" }), frame));
    paint(canvas, grid, width, height);
    const box = el("div", { class: "region", hidden: true });
    const here = el("div", { class: "cell-at", hidden: true });
    const link = overPlot(el("a", { class: "over drags", draggable: "false", href: hrefOf(result.query), "aria-label": "Heat map. Arrow keys move between cells, Shift and arrow keys select, Enter lists the rows, Escape clears." }, box, here), frame);

    /** @param {HTMLElement} node @param {Region} of */
    const put = (node, of) => {
      node.style.left = `${(100 * of.fromTime) / grid.buckets}%`;
      node.style.width = `${(100 * (of.toTime - of.fromTime + 1)) / grid.buckets}%`;
      node.style.bottom = `${(100 * of.fromBand) / grid.bands}%`;
      node.style.height = `${(100 * (of.toBand - of.fromBand + 1)) / grid.bands}%`;
      node.hidden = false;
    };
    const show = () => {
      const cell = single(cursor);
      put(here, cell);
      const { condition, since, until, label } = boundsOf(grid, cell);
      const text = `${label}: ${plural(countIn(grid, cell), "row")}`;
      readout.textContent = text;
      link.setAttribute("aria-label", `${text}. Enter lists them; arrow keys move, Shift selects.`);
      link.setAttribute("href", hrefOf(rowsOf(result.parts, [condition], `since ${since} until ${until}`)));
    };
    redraw = () => {
      if (region) put(box, region);
      else box.hidden = true;
    };
    redraw();

    /** @param {PointerEvent} event */
    const cellAt = (event) => {
      const { left, bottom, width, height } = link.getBoundingClientRect();
      return {
        time: clamp(Math.floor(((event.clientX - left) / width) * grid.buckets), grid.buckets),
        band: clamp(Math.floor(((bottom - event.clientY) / height) * grid.bands), grid.bands),
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
      put(box, region);
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
  const kept = selected()?.parameters.region; // the map may have been drawn before, in other colors
  if (kept) mark(regionOf(grid, kept));
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

/** @param {Grid} grid @param {number} value @returns {number} its place among the bands */
function bandAt(grid, value) {
  return value > 0 ? Math.log2(value) * BANDS_PER_DOUBLING - grid.lowest + grid.offset : 0;
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
 * Return the bounds of a region in the query language, in a sentence, and as an address has them.
 * @param {Grid} grid @param {Region} region
 */
function boundsOf(grid, region) {
  const { column } = grid;
  const [low, high] = [edge(grid, region.fromBand), edge(grid, region.toBand + 1)];
  const upper = high > 0 ? `${column.key} < ${literal(column, high)}` : `${column.key} <= ${literal(column, 0)}`;
  const condition = region.fromBand < grid.offset ? upper : `${column.key} >= ${literal(column, low)} and ${upper}`;
  const from = grid.start + grid.step * BigInt(region.fromTime);
  const to = grid.start + grid.step * BigInt(region.toTime + 1);
  const times = timeSpan(asMs(String(from)), asMs(String(to)));
  const label = `${times}, ${quantity(low, column.unit)} to ${quantity(high, column.unit)}`;
  return { condition, since: instant(from), until: instant(to), label, text: `${from}..${to},${low}..${high}` };
}

/**
 * Return the region with the bounds of a text, or null if it is not such a text.
 * @param {Grid} grid @param {string} text @returns {Region | null}
 */
function regionOf(grid, text) {
  const found = /^(\d+)\.\.(\d+),([\d.e+-]+?)\.\.([\d.e+-]+)$/.exec(text);
  if (!found) return null;
  const [from, to] = found.slice(1, 3).map((ns) => Number(BigInt(ns) - grid.start) / Number(grid.step));
  const [low, high] = found.slice(3).map((value) => bandAt(grid, Number(value)));
  return cellsBetween(grid, [from, to], [low, high]);
}

/**
 * Return the cells between two times and two values, in buckets and bands, and at least one cell.
 * @param {Grid} grid @param {[number, number]} times @param {[number, number]} bands
 * @returns {Region}
 */
function cellsBetween(grid, [from, to], [low, high]) {
  const fromTime = clamp(Math.floor(from + 0.001), grid.buckets);
  const fromBand = clamp(Math.floor(low + 0.01), grid.bands);
  return {
    fromTime,
    toTime: Math.max(fromTime, clamp(Math.ceil(to - 0.001) - 1, grid.buckets)),
    fromBand,
    toBand: Math.max(fromBand, clamp(Math.ceil(high - 0.01) - 1, grid.bands)),
  };
}

/**
 * @param {Result} result @param {Grid} grid @param {Region} region
 * @returns {import("./selection.js").Selection}
 */
function selectionOf(result, grid, region) {
  const { condition, since, until, label, text } = boundsOf(grid, region);
  const sides = { selection: `(${condition}) and time >= ${since} and time < ${until}` };
  return { result, sides, names: [label, "the rest"], parameters: { region: text } };
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
    const [least, most] = inputs.slice(2).map((input) => bandAt(grid, Number(input.value)));
    choose(cellsBetween(grid, [from, to], [least, most]));
  });
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
