/**
 * Print the texts of catalogues as a JSON array: string literals, and the parts of templates and of
 * elements between their placeholders. Arguments: the module `typescript`, and the files.
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [typescript, ...files] = process.argv.slice(2);
const { default: ts } = await import(pathToFileURL(typescript));

const texts = [];

function visit(node) {
  if (ts.isImportDeclaration(node)) {
    return;
  }
  const isInTemplate = ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
  if (ts.isStringLiteralLike(node) || ts.isJsxText(node) || isInTemplate) {
    texts.push(node.text.replace(/\s+/g, " ").trim());
  }
  ts.forEachChild(node, visit);
}

for (const file of files) {
  visit(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
}
console.log(JSON.stringify(texts));
