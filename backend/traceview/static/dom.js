// Elements and number formats. Text is inserted only as text nodes, and positions are set through
// the CSSOM, so received data can never become markup or style.

/** @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
export function closest(target, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found;
}

/** @param {ParentNode} parent @param {string} selector @returns {HTMLElement} */
export function inside(parent, selector) {
  const found = /** @type {HTMLElement | null} */ (parent.querySelector(selector));
  if (!found) throw new Error(`nothing matches ${selector}`);
  return found;
}

/** @param {string} id @returns {HTMLFormElement} */
export function formOf(id) {
  return /** @type {HTMLFormElement} */ (byId(id));
}

/** @param {HTMLFormElement} form @param {string} name @returns {HTMLInputElement} */
export function inputOf(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/**
 * Create an element.
 * @param {string} tag
 * @param {Record<string, any>} [properties] attributes; `on…` are listeners, and `css` is a style
 * @param {...any} children nodes and text, also in arrays; false, null and undefined are left out
 * @returns {HTMLElement}
 */
export function el(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/**
 * Create an SVG element, as `el` creates others.
 * @param {string} tag @param {Record<string, any>} [properties] @param {...any} children
 * @returns {SVGElement}
 */
export function svg(tag, properties = {}, ...children) {
  return filled(/** @type {SVGElement} */ (document.createElementNS("http://www.w3.org/2000/svg", tag)), properties, children);
}

/**
 * @template {HTMLElement | SVGElement} T
 * @param {T} node @param {Record<string, any>} properties @param {any[]} children @returns {T}
 */
function filled(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "css") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, String(one));
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** @param {number} ms */
export function duration(ms) {
  if (ms === 0) return "0";
  if (Math.abs(ms) < 0.001) return `${Math.round(ms * 1e6)} ns`;
  if (Math.abs(ms) < 1) return `${digits(ms * 1000)} µs`;
  if (Math.abs(ms) < 1000) return `${digits(ms)} ms`;
  if (Math.abs(ms) < 60_000) return `${digits(ms / 1000)} s`;
  const minutes = Math.trunc(ms / 60_000);
  return minutes < 600 ? `${minutes} min ${Math.round((ms - minutes * 60_000) / 1000)} s` : `${digits(ms / 3_600_000)} h`;
}

/** @param {number} number */
function digits(number) {
  const size = Math.abs(number);
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** @param {number} ms */
export function offset(ms) {
  return ms < 0 ? `−${duration(-ms)}` : `+${duration(ms)}`;
}

/**
 * Nanoseconds are text, because a number would lose precision.
 * @param {string | bigint} fromNs @param {string | bigint} toNs
 */
export function msBetween(fromNs, toNs) {
  return Number(BigInt(toNs) - BigInt(fromNs)) / 1e6;
}

/** @param {string} ns */
export function clock(ns) {
  const date = asDate(ns);
  if (!date) return "no time";
  const time = date.toLocaleTimeString("en-GB", { hour12: false });
  return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** @param {string} ns */
export function fullTime(ns) {
  const date = asDate(ns);
  return date ? date.toISOString() : "no time sent";
}

/** @param {string} ns */
function asDate(ns) {
  const date = new Date(Number(BigInt(ns) / 1_000_000n));
  return ns === "0" || Number.isNaN(date.getTime()) ? null : date;
}

/** @param {number} count @param {string} one */
export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** @param {import("../wire").Summary} summary */
export function statusBadge(summary) {
  const { status, error } = summary;
  if (status === null) return el("span", { class: `status ${error ? "bad" : "none"}` }, error ? "error" : "–");
  const look = status >= 500 ? "bad" : status >= 400 ? "odd" : "good";
  return el("span", { class: `status ${look}` }, String(status));
}

/**
 * Show a value in its type. Multi-line text keeps its lines.
 * @param {import("../wire").Value} value
 */
export function shownValue(value) {
  if (value === null) return el("span", { class: "v-null" }, "null");
  if (typeof value === "number" || typeof value === "boolean") return el("span", { class: "v-literal" }, String(value));
  if (typeof value === "object") {
    const short = JSON.stringify(value);
    return short.length < 80 ? el("span", {}, short) : el("pre", {}, JSON.stringify(value, null, 2));
  }
  if (value === "") return el("span", { class: "v-null" }, "empty");
  return value.includes("\n") ? el("pre", {}, value) : el("span", {}, value);
}

/** @param {import("../wire").Attributes} attributes */
export function pairs(attributes) {
  const names = Object.keys(attributes).sort();
  if (!names.length) return null;
  return el("dl", { class: "pairs" }, names.flatMap((name) => [el("dt", {}, name), el("dd", {}, shownValue(attributes[name]))]));
}

/**
 * Links to download something as OTLP in JSON and as CSV.
 * @param {string} path without the ending @param {string} [query] @param {string[]} [forms]
 */
export function files(path, query = "", forms = ["jsonl", "csv"]) {
  const names = /** @type {Record<string, string>} */ ({ jsonl: "OTLP JSON", csv: "CSV" });
  return el("span", { class: "files" }, "Download ", forms.map((form) => el("a", { href: `${path}.${form}${query}`, download: "" }, names[form])));
}

/**
 * Group items by a key.
 * @template T, K
 * @param {T[]} items @param {(item: T) => K} keyOf @returns {Map<K, T[]>}
 */
export function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
