// The controls of a query. They edit its form, which the server converts from and to text, so that
// the text above and the controls always have the same query.

import { ask } from "./api.js";
import { names, withSuggestions } from "./combobox.js";
import { byId, el } from "./dom.js";
import { hrefOf, instant } from "./language.js";
import { DEFAULT_RANGE, RANGES } from "./ranges.js";

/** @typedef {import("../wire").QueryForm} QueryForm */
/** @typedef {import("../wire").FormCondition} FormCondition */
/** @typedef {import("../wire").FormCalculation} FormCalculation */
/** @typedef {import("../wire").FormAnswer} FormAnswer */
/** @typedef {import("../wire").Key} Key */

/** @type {[string, string][]} */
const DATASETS = [["roots", "Requests and jobs"], ["spans", "All spans"], ["logs", "Log lines"], ["metrics", "Metrics"], ["exemplars", "Exemplars of metrics"]];
const OPERATORS = ["=", "!=", ">", ">=", "<", "<=", "contains", "not contains", "in", "not in", "exists", "not exists"];
const WITHOUT_VALUE = ["exists", "not exists"];
const WITHOUT_KEY = ["count", "rate", "errors"];
const FUNCTIONS = [...WITHOUT_KEY, "sum", "avg", "min", "max", "p50", "p75", "p90", "p95", "p99", "count_distinct", "heatmap"];
const OF_SERIES = ["rate", "increase", "last"]; // of a key, only for metrics
const NUMBERS = ["number", "duration", "attribute", "histogram"];
/** @type {[string, string][]} */
const WIDTHS = [["", "not over time"], ["10s", "every 10 s"], ["1m", "every minute"], ["5m", "every 5 minutes"], ["15m", "every 15 minutes"], ["1h", "every hour"]];
const CUSTOM = "custom";
const MAX_KEYS = 3;
const KEYS_FRESH_MS = 30_000;

const place = byId("controls");
const mistake = byId("controls-wrong");
const builder = /** @type {HTMLDetailsElement} */ (byId("builder"));

/** @type {QueryForm | null} */
let form = null; // of the query in the address
/** @type {string | null} */
let shown = null; // the text whose form is shown
/** @type {string[]} */
let terms = [];
/** @type {(href: string) => void} */
let goTo = () => {};
/** @type {AbortController | null} */
let sending = null;
/** @type {Map<string, { at: number, keys: Key[] }>} */
const known = new Map();

/** @param {{ go: (href: string) => void }} actions */
export function startControls({ go }) {
  goTo = go;
  builder.open = matchMedia("(min-width: 50rem)").matches;
  place.addEventListener("submit", (event) => event.preventDefault());
}

/**
 * Show the form of a text. A text with a mistake has none, so the last one stays.
 * @param {string} text @param {AbortSignal} signal
 */
export async function showForm(text, signal) {
  if (text === shown) return;
  const { status, text: body } = await ask(`/api/query/form?${new URLSearchParams({ q: text })}`, { signal, expected: [400] });
  if (status === 400) return;
  const answer = /** @type {FormAnswer} */ (JSON.parse(body));
  shown = text;
  fault("", "");
  terms = answer.terms;
  draw(answer.form);
}

/** Forget the form, so that the next one is drawn in any case. */
export function forgetForm() {
  shown = null;
}

/** @param {QueryForm} current */
function draw(current) {
  form = current;
  place.replaceChildren(
    el("div", { class: "line-of" }, dataset(current), ...range(current), background(current)),
    el(
      "div",
      { class: "clauses" },
      group("Where", current.conditions.map((row, at) => condition(current, row, at)), "Add a condition", () => {
        current.conditions.push({ key: "", operator: "=", value: "", text: "" });
      }),
      group("Calculate", current.calculations.map((row, at) => calculation(current, row, at)), "Add a calculation", () => {
        current.calculations.push({ function: "count", key: "" });
        edit();
      }),
      group("Group by", current.by.map((key, at) => grouping(current, key, at)), current.by.length < MAX_KEYS ? "Add a key" : "", () => {
        current.by.push("");
      }),
      group("Over time, order and limit", [series(current), ordering(current), limit(current)], "", () => {}),
    ),
  );
}

/**
 * @param {string} title @param {HTMLElement[]} rows @param {string} more @param {() => void} add
 */
function group(title, rows, more, add) {
  const node = el("fieldset", {}, el("legend", {}, title), ...rows);
  if (more) {
    node.append(
      el("button", {
        type: "button", class: "quiet", onclick: () => {
          add();
          redraw();
          const inputs = [...place.querySelectorAll("fieldset")].find((one) => one.querySelector("legend")?.textContent === title)?.querySelectorAll("input, select");
          /** @type {HTMLElement | undefined} */ ([...(inputs ?? [])].filter((one) => one.getAttribute("data-first") !== null).pop())?.focus();
        },
      }, `+ ${more}`),
    );
  }
  return node;
}

// The control that has the focus keeps it.
function redraw() {
  const label = place.contains(document.activeElement) ? document.activeElement?.getAttribute("aria-label") : null;
  if (form) draw(form);
  if (label) /** @type {HTMLElement | undefined} */ ([...place.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === label))?.focus();
}

/** Send the form, and open the query that it is. Parts that are not complete yet are left out. */
async function edit() {
  if (!form) return;
  sending?.abort(); // a newer form has the older changes too
  const mine = new AbortController();
  sending = mine;
  const complete = {
    ...form,
    conditions: form.conditions.filter((row) => row.text || (row.key && (row.value !== "" || WITHOUT_VALUE.includes(row.operator)))),
    calculations: form.calculations.filter((row) => row.key || WITHOUT_KEY.includes(row.function)),
    by: form.by.filter(Boolean),
  };
  let response;
  try {
    response = await ask("/api/query/form", { method: "POST", body: JSON.stringify(complete), headers: { "Content-Type": "application/json" }, expected: [400], signal: mine.signal });
  } catch (error) {
    if (!mine.signal.aborted) throw error;
    return;
  }
  const { status, text } = response;
  const answer = JSON.parse(text);
  if (status === 400) {
    fault(answer.error, answer.place);
    return;
  }
  fault("", "");
  shown = answer.query; // the controls show it already, and keep their focus
  terms = answer.terms;
  fillTerms();
  goTo(hrefOf(answer.query));
}

/** @param {string} error @param {string} at */
function fault(error, at) {
  mistake.hidden = !error;
  mistake.textContent = error;
  for (const node of place.querySelectorAll("[data-place]")) {
    if (error && node.getAttribute("data-place") === at) node.setAttribute("aria-invalid", "true");
    else node.removeAttribute("aria-invalid");
  }
}

// --- parts ---------------------------------------------------------------------------------------

/**
 * @param {string} label @param {[string, string][]} choices values and their names @param {string} value
 * @param {(value: string) => void} change @param {Record<string, any>} [properties]
 */
function select(label, choices, value, change, properties = {}) {
  const all = choices.some(([one]) => one === value) ? choices : [...choices, /** @type {[string, string]} */ ([value, value])];
  const node = /** @type {HTMLSelectElement} */ (el("select", { "aria-label": label, ...properties }, all.map(([one, name]) => el("option", { value: one, selected: one === value }, name))));
  node.addEventListener("change", () => change(node.value));
  return node;
}

/**
 * @param {string} label @param {string} value @param {(value: string) => void} change
 * @param {Record<string, any>} [properties]
 */
function text(label, value, change, properties = {}) {
  const node = /** @type {HTMLInputElement} */ (el("input", { type: "text", "aria-label": label, value, spellcheck: "false", autocapitalize: "off", autocomplete: "off", ...properties }));
  node.addEventListener("change", () => change(node.value.trim()));
  return node;
}

/** @param {() => void} remove @param {string} what */
function remover(remove, what) {
  return el("button", { type: "button", class: "remove", "aria-label": `Remove ${what}`, onclick: () => {
    remove();
    redraw();
    edit();
  } }, "×");
}

/**
 * An input for a key, with the keys of the dataset as suggestions.
 * @param {string} label @param {string} value @param {boolean} isNumber @param {(value: string) => void} change
 * @param {Record<string, any>} properties
 */
function keyInput(label, value, isNumber, change, properties) {
  const input = text(label, value, change, { placeholder: "key", ...properties });
  return withSuggestions(input, {
    label: "Keys",
    onFocus: true,
    find: async (signal) => {
      const part = input.value.trim().toLowerCase();
      const keys = await keysOf(form?.dataset ?? "spans", signal);
      const found = keys.filter((key) => key.name.toLowerCase().includes(part) && key.name !== part && (!isNumber || NUMBERS.includes(key.kind)));
      found.sort((one, other) => Number(other.name.toLowerCase().startsWith(part)) - Number(one.name.toLowerCase().startsWith(part)));
      return found.slice(0, 50).map((key) => ({ text: key.name, detail: key.unit || (key.kind === "attribute" ? "" : key.kind), count: key.count }));
    },
    take: (option) => {
      input.value = option.text;
      change(option.text);
    },
  });
}

/** @param {string} dataset @param {AbortSignal} signal @returns {Promise<Key[]>} */
async function keysOf(dataset, signal) {
  const fresh = known.get(dataset);
  if (fresh && performance.now() - fresh.at < KEYS_FRESH_MS) return fresh.keys;
  const keys = await names("/api/keys", { dataset }, signal);
  known.set(dataset, { at: performance.now(), keys });
  return keys;
}

/** @param {QueryForm} current */
function dataset(current) {
  return el("label", { class: "field" }, "Dataset", select("Dataset", DATASETS, current.dataset, (value) => {
    current.dataset = /** @type {QueryForm["dataset"]} */ (value);
    edit();
  }, { "data-place": "dataset" }));
}

/** @param {QueryForm} current */
function range(current) {
  const { since, until } = current;
  const isCustom = since.includes("T") && (!until || until.includes("T"));
  const preset = since === DEFAULT_RANGE ? "" : since;
  const choices = /** @type {[string, string][]} */ (RANGES.map((one) => [one.since === DEFAULT_RANGE ? "" : one.since, one.name]));
  let value = isCustom ? CUSTOM : preset;
  if (!isCustom && until) {
    value = `${since} ${until}`;
    choices.push([value, `${since} to ${until} ago`]);
  } else if (!isCustom && !choices.some(([one]) => one === preset)) {
    choices.push([preset, `Last ${preset}`]);
  }
  choices.push([CUSTOM, "From … to …"]);
  const picked = select("Time range", choices, value, (wanted) => {
    if (wanted === CUSTOM) {
      const now = Date.now();
      current.since = instant(String(BigInt(now - 3_600_000) * 1_000_000n));
      current.until = instant(String(BigInt(now) * 1_000_000n));
      redraw();
    } else {
      [current.since, current.until] = wanted.includes(" ") ? [since, until] : [wanted, ""];
      redraw();
    }
    edit();
  });
  const nodes = [el("label", { class: "field" }, "Time range", picked)];
  if (!isCustom) return nodes;
  for (const end of /** @type {("since" | "until")[]} */ (["since", "until"])) {
    const input = /** @type {HTMLInputElement} */ (el("input", { type: "datetime-local", step: "1", "data-place": end, value: current[end] ? localTime(current[end]) : "" }));
    input.addEventListener("change", () => {
      const ms = new Date(input.value).getTime();
      current[end] = Number.isNaN(ms) ? "" : instant(String(BigInt(ms) * 1_000_000n));
      edit();
    });
    nodes.push(el("label", { class: "field" }, end === "since" ? "From" : "To", input));
  }
  return nodes;
}

/** @param {string} iso */
function localTime(iso) {
  const ms = new Date(iso.replace(/(\.\d{3})\d+/, "$1")).getTime();
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** @param {QueryForm} current */
function background(current) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "checkbox", role: "switch", checked: current.background, disabled: current.dataset === "metrics" }));
  input.addEventListener("change", () => {
    current.background = input.checked;
    edit();
  });
  return el("label", { class: "tick" }, input, " Background work");
}

/** @param {QueryForm} current @param {FormCondition} row @param {number} at */
function condition(current, row, at) {
  const spot = { "data-place": `conditions.${at}` };
  const remove = remover(() => current.conditions.splice(at, 1), `condition ${at + 1}`);
  if (row.text) {
    const input = text(`Condition ${at + 1}`, row.text, (value) => {
      row.text = value;
      edit();
    }, { ...spot, class: "code", "data-first": "" });
    return el("div", { class: "part" }, input, remove);
  }
  const value = text(`Value of condition ${at + 1}`, row.value, (given) => {
    row.value = given;
    edit();
  }, { ...spot, placeholder: row.operator.endsWith("in") ? "one, two" : "value" });
  const values = withSuggestions(value, {
    label: "Values",
    onFocus: true,
    find: async (signal) => {
      if (!row.key || row.operator.endsWith("in")) return [];
      const found = await names("/api/values", { dataset: current.dataset, key: row.key, part: value.value.trim() }, signal);
      return found.slice(0, 50).map((/** @type {import("../wire").KeyValue} */ one) => ({ text: one.value, label: one.value || "(empty)", count: one.count }));
    },
    take: (option) => {
      value.value = option.text || '""';
      row.value = value.value;
      edit();
    },
  });
  values.hidden = WITHOUT_VALUE.includes(row.operator);
  const key = keyInput(`Key of condition ${at + 1}`, row.key, false, (given) => {
    row.key = given;
    edit();
  }, { ...spot, "data-first": "" });
  const operator = select(`Operator of condition ${at + 1}`, OPERATORS.map((one) => [one, one]), row.operator, (given) => {
    row.operator = given;
    values.hidden = WITHOUT_VALUE.includes(given);
    edit();
  }, { class: "operator" });
  return el("div", { class: "part" }, key, operator, values, remove);
}

/** @param {QueryForm} current @param {FormCalculation} row @param {number} at */
function calculation(current, row, at) {
  const key = keyInput(`Key of calculation ${at + 1}`, row.key, row.function !== "count_distinct", (given) => {
    row.key = given;
    edit();
  }, { "data-place": `calculations.${at}` });
  const isMetric = current.dataset === "metrics";
  const hasKey = (/** @type {string} */ name) => !WITHOUT_KEY.includes(name) || (isMetric && OF_SERIES.includes(name));
  key.hidden = !hasKey(row.function);
  const functions = isMetric ? new Set([...FUNCTIONS, ...OF_SERIES]) : FUNCTIONS;
  const name = select(`Calculation ${at + 1}`, [...functions].map((one) => [one, one]), row.function, (given) => {
    row.function = given;
    const usual = isMetric ? (OF_SERIES.includes(given) ? "value" : "") : current.dataset === "spans" || current.dataset === "roots" ? "duration" : "";
    row.key = hasKey(given) ? row.key || usual : "";
    current.order = [];
    if (given === "heatmap") {
      current.calculations = [row]; // it is the only calculation, and has no groups
      current.by = [];
    }
    redraw();
    edit();
  }, { "data-first": "" });
  return el("div", { class: "part" }, name, key, remover(() => {
    current.calculations.splice(at, 1);
    current.order = [];
    if (!current.calculations.length) current.every = "";
  }, `calculation ${at + 1}`));
}

/** @param {QueryForm} current @param {string} key @param {number} at */
function grouping(current, key, at) {
  const input = keyInput(`Group key ${at + 1}`, key, false, (given) => {
    current.by[at] = given;
    current.order = [];
    edit();
  }, { "data-place": `by.${at}`, "data-first": "" });
  return el("div", { class: "part" }, input, remover(() => {
    current.by.splice(at, 1);
    current.order = [];
  }, `group key ${at + 1}`));
}

/** @param {QueryForm} current */
function series(current) {
  const node = select("Over time", WIDTHS, current.every, (value) => {
    current.every = value;
    if (value && !current.calculations.length) current.calculations.push({ function: "count", key: "" });
    redraw();
    edit();
  }, { "data-place": "every" });
  return el("div", { class: "part" }, node);
}

/** @param {QueryForm} current */
function ordering(current) {
  const [first] = current.order;
  const direction = select("Direction", [["desc", "largest first"], ["asc", "smallest first"]], first && !first.descending ? "asc" : "desc", change);
  const term = select("Order by", termChoices(), first?.term ?? "", change, { "data-place": "order.0", id: "order-term" });
  function change() {
    current.order = term.value ? [{ term: term.value, descending: direction.value === "desc" }, ...current.order.slice(1)] : [];
    edit();
  }
  return el("div", { class: "part order" }, term, direction);
}

/** @returns {[string, string][]} */
function termChoices() {
  return [["", "default order"], ...terms.map((one) => /** @type {[string, string]} */ ([one, `by ${one}`]))];
}

/** The calculations and keys have changed, and with them the choices of an order. */
function fillTerms() {
  const node = /** @type {HTMLSelectElement | null} */ (place.querySelector("#order-term"));
  if (!node) return;
  const { value } = node;
  node.replaceChildren(...termChoices().map(([one, name]) => el("option", { value: one, selected: one === value }, name)));
}

/** @param {QueryForm} current */
function limit(current) {
  const input = /** @type {HTMLInputElement} */ (el("input", { type: "number", min: "1", max: "10000", placeholder: "100", "data-place": "limit", value: current.limit ?? "" }));
  input.addEventListener("change", () => {
    current.limit = input.value ? Number(input.value) : null;
    edit();
  });
  return el("label", { class: "part" }, el("span", { class: "soft" }, "limit"), input);
}
