/** The #tags, @handles and links in what people write, found as the backend finds them. */

import { countChars } from "./chars";

/** A stretch of the text; `start` is its place, in UTF-16 units. */
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
// A full stop, quotation mark or bracket after an address belongs to the sentence.
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

/** Whether a word behind a # is a tag; its length is that of its letters with their accents. */
function isTag(word: string): boolean {
  return !/^\p{Nd}+$/u.test(word) && countChars(word.normalize("NFC")) <= TAG_CHARS;
}

/** An address without what follows it; a bracket that it opened itself is its own. */
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
