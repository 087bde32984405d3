// The selected part of a result: a region of a heat map, a group, or the errors. The chart
// publishes it, and panels show what is different about it.

/**
 * @typedef {object} Selection
 * @property {string} query the query of the result
 * @property {import("../wire").Parts} parts its clauses
 * @property {string} condition what is selected, in the query language
 * @property {string} since the time range of the selection in the query language; empty: that of the query
 * @property {string} until
 * @property {string} label what is selected, for people
 */

/** @type {((selection: Selection | null) => void)[]} */
const listeners = [];
/** @type {Selection | null} */
let current = null;

/** @param {(selection: Selection | null) => void} listener */
export function onSelection(listener) {
  listeners.push(listener);
}

/** @param {Selection | null} selection null: nothing is selected any more */
export function select(selection) {
  if (selection === null && current === null) return;
  current = selection;
  for (const listener of listeners) listener(selection);
}

export function selected() {
  return current;
}
