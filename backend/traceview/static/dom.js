// Elements and number formats. Text is inserted only as text nodes, and positions are set through
// the CSSOM, so received data can never become markup or style.

/** @param {EventTarget | null} target @param {string} selector @returns {HTMLElement | null} */
export function closest(target, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/** @param {string} id @returns {HTMLFormElement} */
export function formOf(id) {
  return /** @type {HTMLFormElement} */ (document.getElementById(id));
}

/** @param {HTMLFormElement} form @param {string} name @returns {HTMLInputElement} */
export function inputOf(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "css") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function duration(ms) {
  if (ms === 0) return "0";
  if (Math.abs(ms) < 0.001) return `${Math.round(ms * 1e6)} ns`;
  if (Math.abs(ms) < 1) return `${digits(ms * 1000)} µs`;
  if (Math.abs(ms) < 1000) return `${digits(ms)} ms`;
  if (Math.abs(ms) < 60_000) return `${digits(ms / 1000)} s`;
  const minutes = Math.trunc(ms / 60_000);
  return minutes < 600 ? `${minutes} min ${Math.round((ms - minutes * 60_000) / 1000)} s` : `${digits(ms / 3_600_000)} h`;
}

function digits(number) {
  const size = Math.abs(number);
  return number.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function offset(ms) {
  return ms < 0 ? `−${duration(-ms)}` : `+${duration(ms)}`;
}

// Nanoseconds as text, because a number would lose precision.
export function msBetween(fromNs, toNs) {
  return Number(BigInt(toNs) - BigInt(fromNs)) / 1e6;
}

export function clock(ns) {
  const date = asDate(ns);
  if (!date) return "no time";
  const time = date.toLocaleTimeString("en-GB", { hour12: false });
  return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

export function fullTime(ns) {
  const date = asDate(ns);
  return date ? date.toISOString() : "no time sent";
}

function asDate(ns) {
  const date = new Date(Number(BigInt(ns) / 1_000_000n));
  return ns === "0" || Number.isNaN(date.getTime()) ? null : date;
}

export function plural(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}

export function statusBadge(summary) {
  const { status, error } = summary;
  if (status === null) return el("span", { class: `status ${error ? "bad" : "none"}` }, error ? "error" : "–");
  const look = status >= 500 ? "bad" : status >= 400 ? "odd" : "good";
  return el("span", { class: `status ${look}` }, String(status));
}

// A value in its type. Multi-line text keeps its lines.
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

export function pairs(attributes) {
  const names = Object.keys(attributes).sort();
  if (!names.length) return null;
  return el("dl", { class: "pairs" }, names.flatMap((name) => [el("dt", {}, name), el("dd", {}, shownValue(attributes[name]))]));
}
