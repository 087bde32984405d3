import { expect, test } from "vitest";
import CASES from "../../../tests/text/cases.json";
import { beginningAt, complete } from "../../src/text/completion";
import { parts } from "../../src/text/rich";

/** The beginning at the | of a text: its kind, word and offset. */
function at(text: string) {
  const caret = text.indexOf("|");
  const found = beginningAt(text.replace("|", ""), caret);
  return found && [found.kind, found.word, found.start];
}

test("a mention or a tag begins at a sign", () => {
  expect(at("@|")).toEqual(["mention", "", 0]);
  expect(at("Hi @wo|")).toEqual(["mention", "wo", 3]);
  expect(at("Hi @wo| there")).toEqual(["mention", "wo", 3]);
  expect(at("東京は＠wo|")).toEqual(["mention", "wo", 3]);
  expect(at("#|")).toEqual(["tag", "", 0]);
  expect(at("#東京タ|")).toEqual(["tag", "東京タ", 0]);
  expect(at("🖖 #c|")).toEqual(["tag", "c", 3]);
  expect(at("one\n#crud|\n")).toEqual(["tag", "crud", 4]);
});

test("nothing begins elsewhere", () => {
  for (const text of [
    "|",
    "@worf |",
    "|@worf",
    "@wo|rf",
    "#cr|ud",
    "bob@ex|",
    "https://x.org/?u=@na|",
    "http://foo.com/#fo|",
    "a#b|",
    "@worf.|",
  ]) {
    expect([text, at(text)]).toEqual([text, null]);
  }
});

test("the mentions and tags of the shared cases can be completed, its links cannot", () => {
  const texts = Object.values(CASES).flatMap((cases) => cases.map(([text]) => String(text)));
  const longest = 28; // of a handle that can have two more letters
  let completed = 0;
  for (const text of texts) {
    for (const { kind, start, text: word } of parts(text)) {
      const end = start + word.length;
      const found = beginningAt(text.slice(0, end), end);
      if (kind === "link") {
        expect([text, found]).toEqual([text, null]);
      } else if (kind !== "text" && word.length <= longest) {
        expect([text, found?.kind, found?.start]).toEqual([text, kind, start]);
        completed += 1;
      }
    }
  }
  expect(completed).toBeGreaterThan(100);
});

test("completing puts the caret behind a space", () => {
  const done = (text: string, word: string) => {
    const caret = text.indexOf("|");
    const plain = text.replace("|", "");
    const beginning = beginningAt(plain, caret);
    const { text: next, caret: place } = complete(plain, caret, beginning ?? never(), word);
    return `${next.slice(0, place)}|${next.slice(place)}`;
  };
  expect(done("Hi @wo|", "worf")).toBe("Hi @worf |");
  expect(done("Hi @wo| and bye", "worf")).toBe("Hi @worf |and bye");
  expect(done("＃東|", "東京")).toBe("＃東京 |");
});

function never(): never {
  throw new Error("nothing begins here");
}
