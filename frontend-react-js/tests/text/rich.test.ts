import { describe, expect, test } from "vitest";
import { type Part, parts } from "../../src/text/rich";

/** The pointers in a text: `#tag`, `@handle` or an address. */
function pointers(text: string): string[] {
  return parts(text).flatMap((part) => (part.kind === "text" ? [] : [nameOf(part)]));
}

function nameOf(part: Exclude<Part, { kind: "text" }>): string {
  switch (part.kind) {
    case "tag":
      return `#${part.tag}`;
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

// The backend has the same rules: `cruddur.services.text`.
describe("a tag", () => {
  test.each([
    ["#crud", ["#crud"]],
    ["so #crud.", ["#crud"]],
    ["(#crud)", ["#crud"]],
    ["#one #two", ["#one", "#two"]],
    ["#one,#two", ["#one", "#two"]],
    ["#snake_case #_x", ["#snake_case", "#_x"]],
    ["#4ever #2026a", ["#4ever", "#2026a"]],
    ["#Crud", ["#Crud"]],
    ["#日本語", ["#日本語"]],
    ["#हिन्दी", ["#हिन्दी"]],
    ["#cafe\u0301 au lait", ["#cafe\u0301"]],
    ["#ภาษาไทย", ["#ภาษาไทย"]],
    ["“#crud”", ["#crud"]],
    ["-#crud", ["#crud"]],
    ["😀#crud", ["#crud"]],
    ["#crud😀", ["#crud"]],
    ["#crud-ish", ["#crud"]],
    ["#don't", ["#don"]],
    ["@worf#crud", []],
    ["हि#crud", ["#crud"]],
    [`#${"a".repeat(100)}`, [`#${"a".repeat(100)}`]],
    [`#${"e\u0301".repeat(100)}`, [`#${"e\u0301".repeat(100)}`]],
  ])("in %j", (text, expected) => {
    expect(pointers(text).filter((pointer) => pointer.startsWith("#"))).toEqual(expected);
  });

  test.each([
    ["of digits", "We are #1 of #2026"],
    ["of Arabic digits", "#٤٢"],
    ["inside a word", "C#sharp"],
    ["after another #", "##crud"],
    ["without letters", "# crud #"],
    ["of a combining mark alone", "#\u0301"],
    ["in an HTML entity", "&#39;"],
    ["in a path", "/#crud"],
    ["that is longer than the server stores", `#${"a".repeat(101)}`],
    ["of supplementary characters, longer than the server stores", `#${"𝒳".repeat(101)}`],
  ])("%s is not found", (_, text) => {
    expect(pointers(text)).toEqual([]);
  });
});

describe("a mention", () => {
  test.each([
    ["@worf", ["@worf"]],
    ["@Worf", ["@worf"]],
    ["hey @worf, @londo!", ["@worf", "@londo"]],
    ["(@worf)", ["@worf"]],
    [".@worf", ["@worf"]],
    ["@worf's", ["@worf"]],
    ["@worf.", ["@worf"]],
    ["#@worf", ["@worf"]],
    ["@a_1", ["@a_1"]],
    [`@${"a".repeat(30)}`, [`@${"a".repeat(30)}`]],
  ])("in %j", (text, expected) => {
    expect(pointers(text)).toEqual(expected);
  });

  test.each([
    ["in an email address", "worf@example.com"],
    ["in an email address with a dot", "worf.mogh@example.com"],
    ["after another @", "@@worf"],
    ["in a path", "/@worf"],
    ["of one letter", "@a"],
    ["that is longer than a handle", `@${"a".repeat(31)}`],
    ["followed by a non-ASCII letter", "@worfé"],
    ["without a handle", "@ @!"],
  ])("%s is not found", (_, text) => {
    expect(pointers(text)).toEqual([]);
  });

  test("keeps its original spelling", () => {
    expect(parts("@Worf")).toEqual([{ kind: "mention", text: "@Worf", start: 0, handle: "worf" }]);
  });
});

describe("a link", () => {
  test.each([
    ["https://cruddur.com", "https://cruddur.com"],
    ["http://cruddur.com/a?b=c&d=e", "http://cruddur.com/a?b=c&d=e"],
    ["See https://cruddur.com.", "https://cruddur.com"],
    ["See https://cruddur.com/a, then", "https://cruddur.com/a"],
    ["Really, https://cruddur.com/a?!", "https://cruddur.com/a"],
    ["https://cruddur.com/a…", "https://cruddur.com/a"],
    ["(https://cruddur.com/a)", "https://cruddur.com/a"],
    ["[https://cruddur.com/a].", "https://cruddur.com/a"],
    ["“https://cruddur.com/a”", "https://cruddur.com/a"],
    ["“https://cruddur.com/a”.", "https://cruddur.com/a"],
    ["‘https://cruddur.com/a’", "https://cruddur.com/a"],
    ["«https://cruddur.com/a»", "https://cruddur.com/a"],
    ['"https://cruddur.com/a"', "https://cruddur.com/a"],
    ["<https://cruddur.com/a>", "https://cruddur.com/a"],
    ["https://cruddur.com/a\nnext", "https://cruddur.com/a"],
    ["Here:https://cruddur.com/a", "https://cruddur.com/a"],
    ["https://münchen.example/straße", "https://münchen.example/straße"],
    [
      "https://en.wikipedia.org/wiki/Fuse_(explosives)",
      "https://en.wikipedia.org/wiki/Fuse_(explosives)",
    ],
    [
      "(https://en.wikipedia.org/wiki/Fuse_(explosives))",
      "https://en.wikipedia.org/wiki/Fuse_(explosives)",
    ],
    ["https://cruddur.com/#tag", "https://cruddur.com/#tag"],
    ["https://cruddur.com/a#tag", "https://cruddur.com/a#tag"],
    ["https://cruddur.com/?a=#tag", "https://cruddur.com/?a=#tag"],
    ["https://cruddur.com/@worf", "https://cruddur.com/@worf"],
    ["https://worf@cruddur.com/", "https://worf@cruddur.com/"],
  ])("in %j", (text, url) => {
    expect(pointers(text)).toEqual([url]);
  });

  test.each([
    "https://",
    "http://.",
    "https://)",
    "ftp://cruddur.com",
    "javascript:alert(1)",
    "//x",
  ])("%j is not found", (text) => {
    expect(pointers(text)).toEqual([]);
  });

  test("leaves the surrounding text", () => {
    expect(parts("(see https://cruddur.com/a).").map(({ text }) => text)).toEqual([
      "(see ",
      "https://cruddur.com/a",
      ").",
    ]);
  });
});
