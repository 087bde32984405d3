// Completion of a query, or of a condition, at the cursor.

import { names, withSuggestions } from "./combobox.js";

/** @typedef {import("../wire").Completions} Completions */

/**
 * Offer what can follow at the cursor of an input.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {object} how
 * @param {string} [how.conditionOf] the dataset that the text is a condition for; otherwise it is a query
 * @param {(list: HTMLElement) => void} [how.place] moves the list to another place than below the input
 * @returns {HTMLElement} the input with its list
 */
export function withCompletion(input, { conditionOf, place }) {
  /** @type {Completions} */
  let offered = { start: 0, end: 0, options: [] };

  /** @param {AbortSignal} signal */
  async function find(signal) {
    const at = [...input.value.slice(0, input.selectionStart ?? input.value.length)].length; // the API counts code points
    /** @type {Record<string, string>} */
    const asked = { q: input.value, at: String(at) };
    if (conditionOf) asked.condition_of = conditionOf;
    const found = await names("/api/query/complete", asked, signal);
    offered = Array.isArray(found) ? { start: at, end: at, options: [] } : found;
    return offered.options;
  }

  /** @param {{ text: string, kind?: string }} option */
  function take({ text: word, kind }) {
    const points = [...input.value];
    const before = points.slice(0, offered.start).join("");
    const after = points.slice(offered.end).join("");
    const closing = kind === "key" && before.endsWith("(") && !after.startsWith(")") ? ")" : "";
    const space = word.endsWith("(") || after.startsWith(" ") || after.startsWith(")") ? "" : " ";
    input.value = `${before}${word}${closing}${space}${after}`;
    const cursor = before.length + word.length + closing.length + space.length;
    input.setSelectionRange(cursor, cursor);
    input.dispatchEvent(new Event("input")); // offers what can follow
  }

  return withSuggestions(input, { label: "Completions", find, take, place });
}
