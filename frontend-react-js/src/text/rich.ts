/** Find the #tags, @handles and links in a text, by the same grammar as the backend. */

import { countChars } from "./chars";

/** A part of a text; `start` is its offset in UTF-16 units. */
export type Part = { readonly text: string; readonly start: number } & (
  | { readonly kind: "text" }
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "mention"; readonly handle: string }
  | { readonly kind: "link"; readonly url: string }
);

const TAG_CHARS = 100;

// `cruddur.services.text` has the same patterns and the reasons for them; `tests/text/cases.json`
// has cases for both.
const URL_CHARACTER = String.raw`(?:[!#-;=?-~]|\p{Join_C}|(?![\p{Z}\p{Cc}\p{Cf}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Term}\p{QMark}])[^\x00-\x7f])`;
const NEXT = String.raw`[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}\p{sc=Hang}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]`;
const ADDRESSES = new RegExp(
  String.raw`(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9]*:\/\/(?:[A-Za-z0-9.\-]+\.[A-Za-z]{2,}(?=${NEXT})|${URL_CHARACTER}+)|(?<![A-Za-z0-9.\-]|(?<![A-Za-z0-9])[@＠])(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,}(?::\d+)?[\/?]${URL_CHARACTER}*`,
  "gu",
);
const TAG_CHARACTER = String.raw`(?:[\p{L}\p{M}\p{N}_\u05f3\u3003]|(?=\p{scx=Kana})\p{Sk})`;
const TAG_SIGN = String.raw`(?:(?!\u200b)[\p{Cf}\u00b7\u2027\uff5e]|(?![\p{scx=Zyyy}\p{scx=Zinh}\p{Term}\p{QMark}])[\p{Pd}\p{Po}])`;
const POINTERS = new RegExp(
  String.raw`(?<![\p{L}\p{N}_&#＃])[#＃]([\p{L}\p{N}_]${TAG_CHARACTER}*(?:${TAG_SIGN}+${TAG_CHARACTER}+)*)|(?<![\p{sc=Latn}\p{Nd}_\/@＠][!#$%&*]*)(?:(?<![\p{L}\p{M}])|(?![@＠]\w+\.[\p{L}\p{N}]))[@＠](\w{2,30})(?![\p{sc=Latn}\p{M}\p{Nd}_@＠])`,
  "gu",
);
const LINK = /^https?:\/\/.*[\p{L}\p{N}\p{S}]/iu;
// Punctuation after an address belongs to the sentence.
const TRAILING = /[.,;:!?'…)\]}]$/;
const OPENING = "([{";
const CLOSING = ")]}";

export function parts(text: string): readonly Part[] {
  const found: Part[] = [];
  let end = 0;
  const add = (part: Part) => {
    if (part.start > end) {
      found.push({ kind: "text", text: text.slice(end, part.start), start: end });
    }
    found.push(part);
    end = part.start + part.text.length;
  };
  let afterAddress = 0;
  for (const { 0: match, index: start } of text.matchAll(ADDRESSES)) {
    const url = withoutEnd(match);
    addWords(text.slice(afterAddress, start), afterAddress, add);
    afterAddress = start + url.length;
    if (LINK.test(url) && URL.canParse(url)) {
      add({ kind: "link", text: url, start, url });
    }
  }
  addWords(text.slice(afterAddress), afterAddress, add);
  if (end < text.length) {
    found.push({ kind: "text", text: text.slice(end), start: end });
  }
  return found;
}

/** Add the #tags and @handles of a text without addresses, which starts at `offset`. */
function addWords(text: string, offset: number, add: (part: Part) => void): void {
  for (const { 0: match, 1: tag, 2: mention, index } of text.matchAll(POINTERS)) {
    const start = offset + index;
    if (tag !== undefined && isTag(tag)) {
      add({ kind: "tag", text: match, start, tag });
    } else if (mention !== undefined) {
      add({ kind: "mention", text: match, start, handle: mention.toLowerCase() });
    }
  }
}

/** Whether a word after # is a tag. Its length counts the characters that the server counts. */
function isTag(word: string): boolean {
  return /[\p{L}\p{Nl}]/u.test(word) && countChars(word.toLowerCase()) <= TAG_CHARS;
}

/** Cut punctuation off the end of an address, but keep a bracket that the address opened. */
function withoutEnd(address: string): string {
  let url = address;
  while (TRAILING.test(url)) {
    const last = url.slice(-1);
    const opening = OPENING[CLOSING.indexOf(last)];
    if (opening !== undefined && url.split(opening).length >= url.split(last).length) {
      break;
    }
    url = url.slice(0, -1);
  }
  return url;
}
