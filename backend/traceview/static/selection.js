// The selected part of a result: a region of a heat map, a group, the errors, or two periods. The
// chart publishes it, panels show what is different about it, and the address has it.

/** @typedef {import("../wire").Result} Result */

/**
 * @typedef {object} Selection
 * @property {Result} result what it is a part of
 * @property {Record<string, string>} sides what is compared, as parameters of `/api/difference`
 * @property {[string, string]} names of the sides, for people
 * @property {Record<string, string>} parameters of the address, from which it is restored
 */

/** The condition that selects the errors. */
export const ERRORS = "error";

/** @type {((selection: Selection | null) => void)[]} */
const listeners = [];
/** @type {Selection | null} */
let current = null;
/** @type {(selection: Selection | null) => void} */
let record = () => {};

/** @param {(selection: Selection | null) => void} listener */
export function onSelection(listener) {
  listeners.push(listener);
}

/** @param {(selection: Selection | null) => void} recorder writes a selection into the address */
export function recordSelections(recorder) {
  record = recorder;
}

/** @param {Selection | null} selection null: nothing is selected any more */
export function select(selection) {
  if (selection === null && current === null) return;
  record(selection);
  publish(selection);
}

/** Select nothing, because the page shows another address. */
export function forgetSelection() {
  if (current !== null) publish(null);
}

/** @param {Selection | null} selection */
function publish(selection) {
  current = selection;
  for (const listener of listeners) listener(selection);
}

/**
 * Write the selection into the address with other parameters, if it is still the current one.
 * @param {Selection} selection @param {Record<string, string>} parameters
 */
export function recordAs(selection, parameters) {
  if (selection !== current) return;
  selection.parameters = parameters;
  record(selection);
}

export function selected() {
  return current;
}

/**
 * Return the selection of the rows of a result that meet a condition.
 * @param {Result} result @param {string} condition
 * @returns {Selection}
 */
export function rowsSelection(result, condition) {
  const sides = { selection: condition };
  return { result, sides, names: [condition === ERRORS ? "errors" : condition, "the rest"], parameters: sides };
}
