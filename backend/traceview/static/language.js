// The query language, as far as links need it: the clauses of a result's query are combined with
// the conditions of what was clicked. The server parses and checks everything.

/** @typedef {import("../wire").Parts} Parts */
/** @typedef {import("../wire").Column} Column */
/** @typedef {import("../wire").Cell} Cell */

/**
 * Return the text of a query.
 * @param {Parts} parts @param {Partial<Parts>} [others] clauses that replace those of the parts
 */
export function textOf(parts, others = {}) {
  const { source, where, calculations, order, limit, range, background } = { ...parts, ...others };
  return [source, where && `where ${where}`, calculations, order, limit, range, background].filter(Boolean).join(" ");
}

/**
 * Add conditions to those of a query.
 * @param {Parts} parts @param {string[]} conditions @returns {string}
 */
export function whereOf(parts, conditions) {
  return [parts.where, ...conditions].filter(Boolean).join(" and ");
}

/**
 * Return the query that lists the rows behind a part of a result.
 * @param {Parts} parts @param {string[]} conditions @param {string} [range]
 */
export function rowsOf(parts, conditions, range = parts.range) {
  return textOf(parts, { where: whereOf(parts, conditions), calculations: "", order: "", limit: "", range });
}

/** @param {string} text @returns {string} */
export function hrefOf(text) {
  return `/query?${new URLSearchParams({ q: text })}`;
}

/**
 * Return the condition that a column has the value of a cell.
 * @param {Column} column @param {Cell} cell
 */
export function conditionOf(column, cell) {
  return cell === null ? `${column.key} not exists` : `${column.key} = ${literal(column, cell)}`;
}

/** @param {Column} column @param {Exclude<Cell, null>} cell */
export function literal(column, cell) {
  if (column.type === "time") return instant(String(cell));
  if (typeof cell === "string") return JSON.stringify(cell);
  // Only the field `duration` is stored as a length of time; the API returns it in milliseconds.
  if (typeof cell === "number" && column.key === "duration") return `${Math.round(cell * 1e6)}ns`;
  return String(cell);
}

/** @param {string} sinceNs @param {string} untilNs */
export function rangeOf(sinceNs, untilNs) {
  return `since ${instant(sinceNs)} until ${instant(untilNs)}`;
}

/**
 * Return a point in time as the language writes it.
 * @param {string | bigint} ns nanoseconds since 1970
 */
export function instant(ns) {
  const total = BigInt(ns);
  const seconds = new Date(Number(total / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = String(total % 1_000_000_000n).padStart(9, "0").replace(/0+$/, "");
  return `${seconds}${fraction && `.${fraction}`}Z`;
}
