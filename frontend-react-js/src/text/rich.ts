/** Find the #tags, @handles and links in a text, by the same rules as the backend. */

import { countChars } from "./chars";

/** A part of a text; `start` is its offset in UTF-16 units. */
export type Part = { readonly text: string; readonly start: number } & (
  | { readonly kind: "text" }
  | { readonly kind: "tag"; readonly tag: string }
  | { readonly kind: "mention"; readonly handle: string }
  | { readonly kind: "link"; readonly url: string }
);

const TAG_CHARS = 100;
// `cruddur.services.text` has the same rules for tags and mentions.
const POINTERS = new RegExp(
  [
    String.raw`(?<link>https?:\/\/[^\s<>"]+)`,
    String.raw`(?<![\p{L}\p{N}_#&\/])#(?<tag>[\p{L}\p{N}_][\p{L}\p{N}\p{M}_]*)`,
    String.raw`(?<![\p{L}\p{N}_@\/])@(?<mention>[A-Za-z0-9_]{2,30})(?![\p{L}\p{N}_])`,
  ].join("|"),
  "gu",
);
// Punctuation after an address belongs to the sentence.
const TRAILING = /[.,;:!?'"’”)\]}»…]$/u;
const BRACKETS = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

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
  for (const match of text.matchAll(POINTERS)) {
    const { link, tag, mention } = match.groups ?? {};
    const start = match.index;
    if (link !== undefined) {
      const url = withoutEnd(link);
      if (URL.canParse(url)) {
        add({ kind: "link", text: url, start, url });
      }
    } else if (tag !== undefined && isTag(tag)) {
      add({ kind: "tag", text: `#${tag}`, start, tag });
    } else if (mention !== undefined) {
      const handle = mention.toLowerCase();
      add({ kind: "mention", text: `@${mention}`, start, handle });
    }
  }
  if (end < text.length) {
    found.push({ kind: "text", text: text.slice(end), start: end });
  }
  return found;
}

/** Whether a word after # is a tag. Its length counts composed characters (NFC). */
function isTag(word: string): boolean {
  return !/^\p{Nd}+$/u.test(word) && countChars(word.normalize("NFC")) <= TAG_CHARS;
}

/** Cut punctuation off the end of an address, but keep a bracket that the address opened. */
function withoutEnd(link: string): string {
  let url = link;
  while (TRAILING.test(url)) {
    const last = url.slice(-1);
    const opening = BRACKETS.get(last);
    if (opening !== undefined && url.split(opening).length >= url.split(last).length) {
      break;
    }
    url = url.slice(0, -1);
  }
  return url;
}
