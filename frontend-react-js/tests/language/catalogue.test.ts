import ts from "typescript";
import { describe, expect, test } from "vitest";

const SOURCES = import.meta.glob<string>("../../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});

const CATALOGUES = "../../src/language/";
/** The parts of a catalogue, each with the variable that has its messages. */
const PARTS = {
  "first.tsx": "first",
  "further.tsx": "further",
  "errors.ts": "errors",
  "moreErrors.ts": "moreErrors",
};
const TRANSLATIONS = Object.keys(SOURCES).flatMap((path) => {
  const [, name] = /language\/(\w+)\/index\.ts$/.exec(path) ?? [];
  return name === undefined ? [] : [name];
});

/** A message: the parameters that it takes, and those that its text uses. */
interface Message {
  readonly takes: readonly string[];
  readonly uses: readonly string[];
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(path, SOURCES[path] ?? "", ts.ScriptTarget.Latest, true);
}

/** All nodes below a node, in order. */
function* below(node: ts.Node): Generator<ts.Node> {
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  for (const child of children) {
    yield child;
    yield* below(child);
  }
}

function variable(file: ts.SourceFile, name: string): ts.ObjectLiteralExpression {
  for (const node of below(file)) {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name) {
      if (node.initializer !== undefined && ts.isObjectLiteralExpression(node.initializer)) {
        return node.initializer;
      }
    }
  }
  throw new Error(`${file.fileName} has no ${name}`);
}

/** The messages of an object of the catalogue, by their keys: `home.title`. */
function* messages(object: ts.ObjectLiteralExpression, prefix = ""): Generator<[string, Message]> {
  for (const property of object.properties) {
    if (!ts.isPropertyAssignment(property)) {
      continue; // `errors`, which is a file of its own
    }
    const { name, initializer } = property;
    const key = prefix + (ts.isStringLiteral(name) ? name.text : name.getText());
    if (ts.isObjectLiteralExpression(initializer)) {
      yield* messages(initializer, `${key}.`);
    } else if (ts.isArrowFunction(initializer)) {
      const takes = initializer.parameters.map((one) => one.name.getText());
      const names = new Set(
        [...below(initializer.body), initializer.body]
          .filter(ts.isIdentifier)
          .map(({ text }) => text),
      );
      yield [key, { takes, uses: takes.filter((one) => names.has(one)) }];
    } else {
      yield [key, { takes: [], uses: [] }];
    }
  }
}

function catalogue(language: string): Map<string, Message> {
  return new Map(
    Object.entries(PARTS).flatMap(([file, name]) => [
      ...messages(
        variable(parse(`${CATALOGUES}${language}/${file}`), name),
        name === "errors" || name === "moreErrors" ? "errors." : "",
      ),
    ]),
  );
}

const ENGLISH = catalogue("en");

describe("the catalogue", () => {
  test("has no message that nothing uses", () => {
    const used = Object.keys(SOURCES)
      .filter((path) => !path.startsWith(CATALOGUES))
      .flatMap((path) => [...below(parse(path))].flatMap(usedKey));
    const isUsed = (key: string) => used.some((one) => one === key || key.startsWith(`${one}.`));
    expect(used.length).toBeGreaterThan(200);
    expect([...ENGLISH.keys()].filter((key) => !isUsed(key))).toEqual([]);
  });

  test.each(TRANSLATIONS)("has the placeholders of English in %s", (language) => {
    const translated = catalogue(language);
    expect([...translated.keys()].sort()).toEqual([...ENGLISH.keys()].sort());
    for (const [key, { takes, uses }] of translated) {
      const english = ENGLISH.get(key);
      const names = english?.takes.map((name) => name.replace("_", ""));
      expect(takes, key).toEqual(names?.slice(0, takes.length));
      expect(uses, key).toEqual(expect.arrayContaining([...(english?.uses ?? [])]));
    }
  });
});

/** The longest chain that begins with `t`: `home.title` for `t.home.title`. */
function usedKey(node: ts.Node): string[] {
  if (!ts.isPropertyAccessExpression(node) || ts.isPropertyAccessExpression(node.parent)) {
    return [];
  }
  const [root, ...names] = node.getText().split(/\?*\./);
  return root === "t" ? [names.join(".")] : [];
}

/** Attributes and properties whose text a person reads or hears. */
const READ = new Set([
  "action",
  "alt",
  "aria-description",
  "aria-label",
  "aria-roledescription",
  "aria-valuetext",
  "hint",
  "label",
  "mailed",
  "name",
  "placeholder",
  "printed",
  "problem",
  "text",
  "title",
  "why",
  "windowTitle",
]);
/** Names of products, which are the same in every language. */
const PRODUCTS = /\b(?:Cruddur|Samsung Internet)\b/g;

describe("a component", () => {
  const paths = Object.keys(SOURCES).filter(
    (path) => !path.startsWith(CATALOGUES) && !path.endsWith("/api/schema.ts"),
  );

  test.each(paths)("has no literal text: %s", (path) => {
    const found = [...below(parse(path))].filter((node) => isText(node));
    expect(found.map((node) => node.getText().trim())).toEqual([]);
  });

  test.each([
    "<p>Hello</p>",
    "<p>{isNew ? `Hello $NAME` : null}</p>",
    '<p>{isNew && "hello"}</p>',
    '<img alt="A cat" />',
    "<Field label={`To $NAME`} />",
    '<Item name="Home" />',
    '<Empty title={isSelf ? "You" : name} />',
    'notify("Saved")',
    'const words = "Link copied";',
    "const words = `It’s gone, $NAME`;",
    'document.title = "Home";',
  ])("would be found: %s", (text) => {
    const code = text.replace("$NAME", "$$" + "{name}");
    const file = ts.createSourceFile(
      "x.tsx",
      code,
      ts.ScriptTarget.Latest,
      true,
      ts.ScriptKind.TSX,
    );
    expect([...below(file)].filter((node) => isText(node))).toHaveLength(1);
  });
});

/** Whether a node is a text that belongs into the catalogue. */
function isText(node: ts.Node): boolean {
  if (ts.isJsxText(node)) {
    return isWords(node.text);
  }
  if (ts.isStringLiteralLike(node)) {
    return isWords(node.text) && (isSentence(node.text) || isShown(node));
  }
  if (ts.isTemplateExpression(node)) {
    const words = [node.head, ...node.templateSpans.map(({ literal }) => literal)]
      .map(({ text }) => text)
      .join(" ");
    return isWords(words) && (isSentence(words) || isShown(node));
  }
  return false;
}

function isWords(text: string): boolean {
  return /\p{L}{2}/u.test(text.replace(PRODUCTS, "").replace(/&\w+;/g, ""));
}

/** Whether a string can only be meant for people: it begins with a capital and has two words. */
function isSentence(text: string): boolean {
  return /^\p{Lu}[\p{Ll}’]*,? \p{L}/u.test(text.trim());
}

/** Whether a string is the child of an element, an attribute that is read, a notice or a title. */
function isShown(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isJsxExpression(parent)) {
    return ts.isJsxAttribute(parent.parent) ? isReadAttribute(parent.parent) : true;
  }
  if (ts.isJsxAttribute(parent)) {
    return isReadAttribute(parent);
  }
  if (ts.isCallExpression(parent)) {
    return parent.expression.getText() === "notify" && parent.arguments[0] === node;
  }
  if (ts.isBinaryExpression(parent)) {
    const isTitle = parent.left.getText() === "document.title";
    return isTitle || (parent.right === node && isShown(parent));
  }
  if (ts.isConditionalExpression(parent)) {
    return parent.condition !== node && isShown(parent);
  }
  return ts.isParenthesizedExpression(parent) && isShown(parent);
}

function isReadAttribute({ name, initializer, parent }: ts.JsxAttribute): boolean {
  const isNameInCode = // of a field, or of a page
    name.getText() === "name" &&
    (/^"[a-z_]+"$/.test(initializer?.getText() ?? "") ||
      parent.parent.tagName.getText() === "Further");
  return READ.has(name.getText()) && !isNameInCode;
}
