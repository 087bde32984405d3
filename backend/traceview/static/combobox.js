// Suggestions below an input, as the combobox pattern of ARIA describes them: the arrow keys
// choose, Enter takes, Escape closes, and the focus stays in the input.

import { ask } from "./api.js";
import { el } from "./dom.js";
import { number } from "./format.js";

/** @typedef {{ text: string, label?: string, kind?: string, detail?: string, count?: number | null }} Option */

const DELAY_MS = 60;
let lists = 0;

/**
 * Offer suggestions below an input.
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 * @param {object} how
 * @param {(signal: AbortSignal) => Promise<Option[]>} how.find
 * @param {(option: Option) => void} how.take
 * @param {string} how.label the name of the list
 * @param {boolean} [how.onFocus] whether the focus opens the list
 * @param {(list: HTMLElement) => void} [how.place] moves the list to another place than below the input
 * @returns {HTMLElement} the input with its list
 */
export function withSuggestions(input, { find, take, label, onFocus = false, place }) {
  lists += 1;
  const list = el("ul", { class: "suggestions", id: `suggestions-${lists}`, role: "listbox", "aria-label": label, hidden: true });
  const status = el("span", { class: "unseen", role: "status" });
  // A textarea cannot have the role, but supports the other attributes.
  const isCombobox = input instanceof HTMLInputElement;
  if (isCombobox) {
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
  }
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  /** @type {Option[]} */
  let options = [];
  let active = -1;
  let timer = 0;
  /** @type {AbortController | null} */
  let asking = null;

  const expand = (/** @type {boolean} */ isOpen) => {
    list.hidden = !isOpen;
    if (isCombobox) input.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) status.textContent = "";
  };
  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    choose(-1);
    options = [];
    expand(false);
  };
  /** @param {number} at */
  const choose = (at) => {
    active = at;
    [...list.children].forEach((item, place) => {
      item.setAttribute("aria-selected", String(place === at));
    });
    const item = list.children[at];
    if (item) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };
  /** @param {Option} option */
  const accept = (option) => {
    close();
    take(option);
  };
  const open = async () => {
    asking?.abort();
    const mine = new AbortController();
    asking = mine;
    let found;
    try {
      found = await find(mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) throw error;
      return;
    }
    if (mine.signal.aborted || document.activeElement !== input) return;
    options = found;
    list.replaceChildren(
      ...options.map((option, at) =>
        el(
          "li",
          { role: "option", id: `${list.id}-${at}`, "aria-selected": "false", onclick: () => accept(option) },
          el("span", {}, option.label ?? option.text),
          option.detail && el("span", { class: "soft" }, option.detail),
          typeof option.count === "number" && el("span", { class: "times" }, number(option.count)),
        ),
      ),
    );
    choose(-1);
    expand(options.length > 0);
    status.textContent = options.length ? `${options.length} suggestions` : "";
    place?.(list);
  };
  const openSoon = () => {
    clearTimeout(timer);
    timer = window.setTimeout(open, DELAY_MS);
  };
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays
  input.addEventListener("input", openSoon);
  if (onFocus) input.addEventListener("focus", openSoon);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (/** @type {Event} */ event) => {
    const { key, ctrlKey } = /** @type {KeyboardEvent} */ (event);
    if ((key === " " && ctrlKey) || (key === "ArrowDown" && list.hidden && isCombobox)) {
      event.preventDefault();
      open();
    } else if (list.hidden) {
      return;
    } else if (key === "ArrowDown" || key === "ArrowUp") {
      event.preventDefault();
      const step = key === "ArrowDown" ? 1 : -1;
      choose(active < 0 && step < 0 ? options.length - 1 : (active + step + options.length) % options.length);
    } else if ((key === "Enter" || key === "Tab") && active >= 0) {
      event.preventDefault();
      accept(options[active]);
    } else if (key === "Escape") {
      event.preventDefault();
      close();
    } else if (key === "Enter") {
      close();
    }
  });
  return el("div", { class: "suggesting" }, input, list, status);
}

/**
 * Ask for names. Without a file there are none.
 * @param {string} path @param {Record<string, string>} parameters @param {AbortSignal} signal
 */
export async function names(path, parameters, signal) {
  const { status, text } = await ask(`${path}?${new URLSearchParams(parameters)}`, { signal, expected: [400, 409, 422] });
  return status === 200 ? JSON.parse(text) : [];
}
