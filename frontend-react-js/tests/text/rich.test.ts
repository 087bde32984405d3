import { describe, expect, test } from "vitest";
import cases from "../../../tests/text/cases.json";
import { type Part, parts } from "../../src/text/rich";

/** A tag as the server stores it: in lower case, composed, without ignorable characters. */
function foldTag(tag: string): string {
  return tag
    .toLowerCase()
    .replace(/(?!\p{Join_C})\p{DI}/gu, "")
    .normalize("NFC");
}

/** The pointers in a text: `#tag`, as the server stores it, `@handle` or an address. */
function pointers(text: string): string[] {
  return parts(text).flatMap((part) => (part.kind === "text" ? [] : [nameOf(part)]));
}

function nameOf(part: Exclude<Part, { kind: "text" }>): string {
  switch (part.kind) {
    case "tag":
      return `#${foldTag(part.tag)}`;
    case "mention":
      return `@${part.handle}`;
    case "link":
      return part.url;
  }
}

describe("the parts of a text", () => {
  test.each([
    "",
    "plain",
    "#a @bc https://d.example/ e",
    "#a#b @@c @worf@londo https://x.example/#y",
    "👩‍👩‍👧 #héllo\u0301 \n\n @worf! (https://a.example/).",
    "https:// http://. #1 @x",
    "\ud83d #a \udc00",
  ])("cover all of it, in order, at their offsets: %j", (text) => {
    const found = parts(text);
    expect(found.map((part) => part.text).join("")).toBe(text);
    for (const part of found) {
      expect(part.text).not.toBe("");
      expect(text.startsWith(part.text, part.start)).toBe(true);
    }
  });
});

// The backend has the same grammar, and pytest the same cases.
describe.each(Object.entries(cases))("%s", (_, texts) => {
  test.each(texts as [string, string[]][])("%j", (text, expected) => {
    expect(pointers(text)).toEqual(expected);
  });
});

describe("a part", () => {
  test("keeps the spelling of a tag and of a mention", () => {
    expect(parts("＃Crud @Worf")).toEqual([
      { kind: "tag", text: "＃Crud", start: 0, tag: "Crud" },
      { kind: "text", text: " ", start: 5 },
      { kind: "mention", text: "@Worf", start: 6, handle: "worf" },
    ]);
  });

  test("is no link if the browser cannot follow it", () => {
    expect(pointers("https://x.example:99999/ #crud")).toEqual(["#crud"]);
  });

  test("leaves the text around a link", () => {
    expect(parts("(see https://cruddur.com/a).").map(({ text }) => text)).toEqual([
      "(see ",
      "https://cruddur.com/a",
      ").",
    ]);
  });
});
