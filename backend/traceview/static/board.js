// The board: useful queries, and the queries that were saved by name.

import { ask } from "./api.js";
import { byId, el, inputOf, inside } from "./dom.js";
import { hrefOf } from "./language.js";

/** @typedef {import("../wire").Queries} Queries */

const PATH = "/api/queries";
const board = byId("board");
const saving = /** @type {HTMLFormElement} */ (byId("saving"));
const saved = byId("saved-status");

/** @type {Queries | null} */
let known = null;

/** @param {() => string} textOf the query that is saved */
export function startBoard(textOf) {
  saving.addEventListener("submit", async (event) => {
    event.preventDefault();
    const input = inputOf(saving, "name");
    const { status, text } = await ask(PATH, { method: "POST", body: JSON.stringify({ name: input.value.trim(), query: textOf() }), headers: { "Content-Type": "application/json" }, expected: [400, 409] });
    const answer = JSON.parse(text);
    saved.className = status === 200 ? "soft" : "wrong";
    saved.textContent = status === 200 ? `Saved as “${input.value.trim()}”.` : answer.error;
    if (status !== 200) return;
    known = null;
    input.value = "";
  });
}

export function forgetSaving() {
  saved.textContent = "";
}

/** @param {AbortSignal} signal @returns {Promise<Queries>} */
export async function knownQueries(signal) {
  known ??= /** @type {Queries} */ (JSON.parse((await ask(PATH, { signal })).text));
  return known;
}

/** @param {AbortSignal} signal */
export async function showBoard(signal) {
  const { useful, saved: own } = await knownQueries(signal);
  board.replaceChildren(
    el("h2", {}, "Saved"),
    own.length ? el("ul", { class: "cards" }, own.map((one) => card(one.name, "", one.query, remover(one.name)))) : el("p", { class: "soft" }, "Run a query, and save it by a name. It is stored in the explorer's file."),
    el("h2", {}, "Useful questions"),
    el("ul", { class: "cards" }, useful.map((one) => card(one.name, one.question, one.query, null))),
  );
}

/** @param {string} name @param {string} question @param {string} query @param {HTMLElement | null} action */
function card(name, question, query, action) {
  return el("li", {}, el("a", { href: hrefOf(query) }, el("b", {}, name), question && el("span", {}, question), el("code", {}, query)), action);
}

/** @param {string} name */
function remover(name) {
  return el("button", {
    type: "button", class: "remove", "aria-label": `Delete ${name}`, onclick: async () => {
      await ask(`${PATH}/${encodeURIComponent(name)}`, { method: "DELETE", expected: [404] });
      known = null;
      await showBoard(new AbortController().signal);
      inside(board, "a").focus();
    },
  }, "×");
}
