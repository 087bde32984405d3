// Uploads of files with OTLP in JSON: a button, and files that are dropped on any page.

import { ask, UnreachableError } from "./api.js";
import { byId, el, plural } from "./dom.js";

/** @typedef {import("../wire").Upload} Upload */

const input = /** @type {HTMLInputElement} */ (byId("upload-files"));
const outcome = byId("uploaded");
const list = byId("uploaded-files");
const target = byId("drop");

/** @param {{ refresh: () => void }} actions */
export function startUpload({ refresh }) {
  byId("upload").addEventListener("click", () => input.click());
  byId("uploaded-close").addEventListener("click", () => {
    outcome.hidden = true;
  });
  input.addEventListener("change", async () => {
    await upload([...(input.files ?? [])]);
    input.value = ""; // so that the same file can be chosen again
    refresh();
  });
  let entered = 0; // of nested elements
  const show = (/** @type {number} */ change) => {
    entered = Math.max(0, entered + change);
    target.hidden = entered === 0;
  };
  addEventListener("dragenter", (event) => hasFiles(event) && show(1));
  addEventListener("dragleave", (event) => hasFiles(event) && show(-1));
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault(); // else the browser opens the file
  });
  addEventListener("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(-entered);
    await upload([...(event.dataTransfer?.files ?? [])]);
    refresh();
  });
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** @param {File[]} files */
async function upload(files) {
  if (!files.length) return;
  list.replaceChildren();
  outcome.hidden = false;
  for (const file of files) {
    const item = list.appendChild(el("li", {}, `${file.name}: uploading…`));
    item.replaceChildren(...(await send(file, item)));
  }
}

/** @param {File} file @param {HTMLElement} item */
async function send(file, item) {
  const headers = file.name.endsWith(".gz") ? { "Content-Encoding": "gzip" } : undefined;
  let answer;
  try {
    answer = await ask("/api/upload", { method: "POST", body: file, headers, expected: [400, 413, 415] });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    item.classList.add("bad");
    return [el("b", {}, file.name), " was not uploaded: traceview is not responding, or the file cannot be read."];
  }
  const body = JSON.parse(answer.text);
  if (answer.status !== 200) {
    item.classList.add("bad");
    return [el("b", {}, file.name), ` was not uploaded: ${body.error}.`];
  }
  return [el("b", {}, file.name), ...described(body)];
}

/** @param {Upload} uploaded */
function described({ spans, logs, points, rejected, reason, traces }) {
  const parts = [spans && plural(spans, "span"), logs && plural(logs, "log line"), points && plural(points, "metric point")].filter(Boolean);
  const links = traces.slice(0, 5).flatMap((id) => [" ", el("a", { href: `/trace/${id}` }, `${id.slice(0, 8)}…`)]);
  return [
    `: ${parts.join(", ")}.`,
    links.length > 0 && el("span", {}, " Open", links, traces.length > 5 && " and others", "."),
    rejected > 0 && el("span", { class: "bad" }, ` ${plural(rejected, "item")} could not be used: ${reason}.`),
  ].filter((part) => part !== false);
}
