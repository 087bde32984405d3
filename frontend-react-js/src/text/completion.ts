/** The beginning of a mention or a tag that is being typed, by the grammar of `rich.ts`. */

import { parts } from "./rich";

export interface Beginning {
  readonly kind: "mention" | "tag";
  /** What follows the sign. */
  readonly word: string;
  /** The offset of the sign. */
  readonly start: number;
}

/** Two letters, which make a complete mention or tag of any beginning. */
const REST = "aa";

/** The mention or tag that ends at the caret, or null. */
export function beginningAt(text: string, caret: number): Beginning | null {
  const head = text.slice(0, caret);
  const last = parts(head + REST).at(-1);
  const isTyped = last !== undefined && last.start < head.length;
  if (!isTyped || (last.kind !== "mention" && last.kind !== "tag")) {
    return null;
  }
  return parts(text).some(({ start, text: { length } }) => start < caret && caret < start + length)
    ? null // in the middle of a word
    : { kind: last.kind, word: head.slice(last.start + 1), start: last.start };
}

/** Complete a beginning; the caret follows the word and a space. */
export function complete(
  text: string,
  caret: number,
  { start }: Beginning,
  word: string,
): { readonly text: string; readonly caret: number } {
  const head = `${text.slice(0, start + 1)}${word} `;
  return { text: head + text.slice(caret).replace(/^ /, ""), caret: head.length };
}
