// Results without a time axis: single values, groups as a table with bars, and rows.

import { clock, el, fullTime } from "./dom.js";
import { number, quantity } from "./format.js";
import { conditionOf, hrefOf, rowsOf, textOf } from "./language.js";
import { compare } from "./lines.js";

/** @typedef {import("../wire").Result} Result */
/** @typedef {import("../wire").Column} Column */
/** @typedef {import("../wire").Cell} Cell */

/** @param {Result} result @returns {HTMLElement} */
export function drawValues(result) {
  return el(
    "dl",
    { class: "values" },
    result.columns.map((column, place) => el("div", { class: "panel" }, el("dt", {}, column.name), el("dd", {}, el("a", { href: hrefOf(rowsOf(result.parts, [])) }, shownCell(column, result.rows[0][place]))))),
  );
}

/** @param {Result} result @returns {HTMLElement} */
export function drawGroups(result) {
  const { columns, rows } = result;
  const keys = columns.filter((one) => one.key);
  const barred = barColumn(result, keys.length);
  const most = Math.max(0, ...rows.map((row) => Number(row[barred]) || 0));
  const lines = rows.map((row) => {
    const conditions = keys.map((key, place) => conditionOf(key, row[place]));
    const href = hrefOf(rowsOf(result.parts, conditions));
    const label = keys.map((key, place) => `${key.name} ${cellText(key, row[place])}`).join(", ");
    return el(
      "tr",
      {},
      keys.map((key, place) => {
        const content = el("a", { href, tabindex: place ? "-1" : null }, shownCell(key, row[place]));
        return place ? el("td", { class: "key-cell" }, content) : el("th", { scope: "row", class: "key-cell" }, content);
      }),
      columns.slice(keys.length).map((column, place) => {
        const cell = row[keys.length + place];
        const at = keys.length + place;
        if (at !== barred) return el("td", { class: "number", "data-label": column.name }, shownCell(column, cell));
        return el("td", { class: "number barred", "data-label": column.name }, el("div", {}, bar(href, Number(cell) || 0, most), shownCell(column, cell)));
      }),
      el("td", { class: "side" }, compare(result, conditions.join(" and "), label)),
    );
  });
  return table(result, "groups", lines, "");
}

/** @param {string} href @param {number} value @param {number} most */
function bar(href, value, most) {
  const fill = el("span", { class: "length" });
  fill.style.width = `${most > 0 ? Math.max(0.5, (100 * Math.max(0, value)) / most) : 0}%`;
  return el("a", { class: "track", href, tabindex: "-1", "aria-hidden": "true" }, fill);
}

/**
 * The column that orders the groups, or else the first calculation.
 * @param {Result} result @param {number} keys
 */
function barColumn(result, keys) {
  const ordered = result.columns.findIndex((column, place) => place >= keys && directionOf(result, column));
  return ordered < 0 ? keys : ordered;
}

/** @param {Result} result @returns {HTMLElement} */
export function drawRows(result) {
  const { columns, rows } = result;
  const placeOf = (/** @type {string} */ name) => columns.findIndex((column) => column.name === name);
  const [trace, span, duration] = ["trace_id", "span_id", "duration"].map(placeOf);
  const longest = Math.max(1, ...rows.map((row) => Number(row[duration]) || 0));
  const shown = columns.map((_, place) => place).filter((place) => place !== trace && place !== span);
  const lines = rows.map((row) => {
    const href = trace >= 0 && row[trace] ? `/trace/${row[trace]}${row[span] ? `#${row[span]}` : ""}` : null;
    return el(
      "tr",
      { class: row[placeOf("status")] === "ERROR" ? "failed" : null },
      shown.map((place) => {
        const column = columns[place];
        const content = shownCell(column, row[place]);
        const linked = href && content ? el("a", { href, tabindex: place === shown[0] ? null : "-1" }, content) : content;
        if (place === duration) {
          const length = el("span", { class: "length" });
          length.style.width = `${Math.max(2, (100 * Math.log1p(Number(row[place]) * 10)) / Math.log1p(longest * 10))}%`;
          return el("td", { class: "number" }, linked, el("span", { class: "track" }, length));
        }
        return el("td", { class: lookOf(column) }, linked);
      }),
    );
  });
  return table({ ...result, columns: shown.map((place) => columns[place]) }, "rows", lines, null);
}

/** @param {Column} column */
function lookOf({ name, type, key }) {
  if (name === "name" || name === "body") return "key-cell main-cell";
  return type === "time" ? "when" : type === "number" && key !== "status_code" ? "number" : "key-cell";
}

/** @param {Result} result @param {string} look @param {HTMLElement[]} lines @param {string | null} last the heading of one more column */
function table(result, look, lines, last) {
  const heads = result.columns.map((column) => el("th", { scope: "col", class: column.type === "number" && column.key !== "status_code" ? "number" : null, "aria-sort": directionOf(result, column) || null }, sorter(result, column)));
  if (last !== null) heads.push(el("td", {}, last));
  return el("section", { class: "panel" }, el("div", { class: "scroll" }, el("table", { class: `series ${look}` }, el("thead", {}, el("tr", {}, heads)), el("tbody", {}, lines))));
}

/**
 * A heading that orders the result by its column, in the other direction if it is ordered by it.
 * @param {Result} result @param {Column} column
 */
function sorter(result, column) {
  const term = column.key || column.name;
  const direction = directionOf(result, column);
  const order = `order by ${term}${direction === "descending" ? " asc" : ""}`;
  const noun = column.unit && column.unit !== "ms" ? ` ${column.unit.replace(/[{}]/g, "")}` : "";
  return el("a", { class: direction ? "sorted" : null, href: hrefOf(textOf(result.parts, { order })) }, column.name, noun && el("span", { class: "soft" }, noun), direction && el("span", { "aria-hidden": "true" }, direction === "descending" ? " ↓" : " ↑"));
}

/** @param {Result} result @param {Column} column @returns {"" | "ascending" | "descending"} */
function directionOf(result, column) {
  const term = column.key || column.name;
  const { order } = result.parts;
  if (!order) {
    const first = result.columns.find((one) => !one.key) ?? result.columns.find((one) => one.name === "time");
    return first === column ? "descending" : "";
  }
  if (order === `order by ${term}` || order.startsWith(`order by ${term},`)) return "descending";
  return order === `order by ${term} asc` || order.startsWith(`order by ${term} asc,`) ? "ascending" : "";
}

/** @param {Column} column @param {Cell} cell */
function shownCell(column, cell) {
  if (cell === null) return el("span", { class: "v-null" }, "none");
  if (column.type === "time") return el("time", { title: fullTime(String(cell)) }, clock(String(cell)));
  if (column.name === "status" && cell === "UNSET") return "";
  if (column.name === "status") return el("span", { class: `status ${cell === "ERROR" ? "bad" : cell === "OK" ? "good" : "none"}` }, String(cell).toLowerCase());
  if (column.name === "status_code") return el("span", { class: `status ${Number(cell) >= 500 ? "bad" : Number(cell) >= 400 ? "odd" : "good"}` }, String(cell));
  if (cell === "") return el("span", { class: "v-null" }, "empty");
  return el("span", {}, cellText(column, cell));
}

/** @param {Column} column @param {Cell} cell */
function cellText(column, cell) {
  if (typeof cell !== "number") return cell === null ? "none" : String(cell);
  return column.key === "status_code" ? String(cell) : column.unit ? quantity(cell, column.unit) : number(cell);
}
