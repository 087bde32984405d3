// The metrics: a chart of each over time, and the latest value of every series. Without a file there
// are only the latest values.

import { ask } from "./api.js";
import { byId, clock, el, formOf, fullTime, groupBy, inputOf, plural } from "./dom.js";
import { quantity } from "./format.js";
import { hrefOf } from "./language.js";
import { drawLines } from "./lines.js";

/** @typedef {import("../wire").MetricView} MetricView */
/** @typedef {import("../wire").MetricInfo} MetricInfo */
/** @typedef {import("../wire").FileStatus} FileStatus */
/** @typedef {import("../wire").Result} Result */
/** @typedef {{ name: string, calculations: string, hasMarks?: boolean }} View a way to show a metric */
/** @typedef {{ info: MetricInfo, views: View[], node: HTMLElement, chart: HTMLElement, view: HTMLSelectElement, by: HTMLSelectElement, link: HTMLAnchorElement, isNear: boolean, drawnAt: number, drawn: string }} Card */

const PERIOD_MS = 15_000; // most SDKs send metrics once a minute
const MAX_GROUPS = 8;
const STEPS = /** @type {Record<string, string>} */ ({ "15m": "30s", "1h": "1m", "6h": "5m", "24h": "15m", "3d": "1h" });
const NEVER = Number.NEGATIVE_INFINITY;
const form = formOf("metric-search");
const tally = byId("metric-tally");
const note = byId("metric-note");
const charts = byId("metric-charts");
const place = byId("series");
/** @type {MetricView[]} */
let last = [];
let key = ""; // of the latest values
/** @type {Map<string, Card>} */
const cards = new Map(); // by identity
let listedAt = NEVER;
let range = "";
/** @type {FileStatus | null} */
let storage = null; // does not change while the server runs
let refresh = () => {};

// Only what is on screen is queried.
const nearby = new IntersectionObserver(
  (entries) => {
    for (const card of cards.values()) {
      const entry = entries.findLast(({ target }) => target === card.node);
      if (entry) card.isNear = entry.isIntersecting;
    }
    if (entries.some(({ isIntersecting }) => isIntersecting)) refresh();
  },
  { rootMargin: "300px" },
);

/** @param {{ refresh: () => void }} actions */
export function startMetrics(actions) {
  refresh = actions.refresh;
  form.addEventListener("input", () => {
    const given = [...new FormData(form)].map(([name, value]) => [name, String(value)]).filter(([, value]) => value);
    history.replaceState(null, "", given.length ? `/metrics?${new URLSearchParams(given)}` : "/metrics");
    readMetrics();
    filter();
    drawLatest();
    refresh();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

/** Read the search and the time range from the address. */
export function readMetrics() {
  const given = new URLSearchParams(location.search);
  inputOf(form, "part").value = given.get("part") ?? "";
  const select = inputOf(form, "since");
  select.value = given.get("since") ?? "";
  if (!select.value) select.value = ""; // an unknown range selects nothing
  if (range === select.value) return;
  range = select.value;
  listedAt = NEVER;
  for (const card of cards.values()) card.drawnAt = NEVER;
}

/** @param {AbortSignal} signal */
export async function refreshMetrics(signal) {
  if (!storage) showStorage(JSON.parse((await ask("/api/storage", { signal })).text));
  if (storage?.stored && performance.now() - listedAt > PERIOD_MS) {
    const { text } = await ask(`/api/metrics/catalog?since=${sinceOf()}`, { signal });
    listedAt = performance.now();
    list(JSON.parse(text));
  }
  const { text } = await ask("/api/metrics", { signal });
  if (text !== key) {
    // A new metric is shown at once.
    if (key) listedAt = NEVER;
    key = text;
    last = JSON.parse(text);
    drawLatest();
  }
  for (const card of cards.values()) {
    const isBusy = card.chart.contains(document.activeElement) || card.chart.matches(":hover");
    const isDue = card.drawnAt === NEVER || (!isBusy && performance.now() - card.drawnAt > PERIOD_MS);
    if (card.isNear && !card.node.hidden && isDue) await drawChart(card, signal);
  }
}

/** @param {FileStatus} status */
function showStorage(status) {
  storage = status;
  note.hidden = status.stored;
  note.textContent = status.stored ? "" : `Only the latest values are kept, in memory, and there are no charts: ${status.reason}.`;
  inputOf(form, "since").disabled = !status.stored;
}

function sinceOf() {
  return range || "1h";
}

/** @param {MetricInfo[]} metrics */
function list(metrics) {
  const listed = metrics.map((info) => {
    const id = JSON.stringify([info.service, info.name, info.kind, info.unit]);
    let card = cards.get(id);
    if (!card || card.info.keys.join() !== info.keys.join()) {
      if (card) nearby.unobserve(card.node);
      card = cardOf(info);
      cards.set(id, card);
      nearby.observe(card.node);
    }
    card.info = info;
    return { id, card };
  });
  const here = new Set(listed.map(({ id }) => id));
  for (const [id, card] of cards) {
    if (here.has(id)) continue;
    nearby.unobserve(card.node);
    cards.delete(id);
  }
  const nodes = listed.map(({ card }) => card.node);
  if (nodes.length !== charts.children.length || nodes.some((node, at) => charts.children[at] !== node)) charts.replaceChildren(...nodes);
  filter();
  drawLatest();
}

function part() {
  return inputOf(form, "part").value.trim().toLowerCase();
}

function filter() {
  for (const { info, node } of cards.values()) node.hidden = !`${info.service} ${info.name} ${info.description} ${info.keys.join(" ")}`.toLowerCase().includes(part());
}

/** @param {MetricInfo} info @returns {View[]} */
function viewsOf({ kind, is_monotonic: isMonotonic }) {
  if (kind.endsWith("histogram")) {
    return [
      { name: "Percentiles", calculations: "p50(histogram), p95(histogram), p99(histogram)", hasMarks: true },
      { name: "95th percentile", calculations: "p95(histogram)", hasMarks: true },
      { name: "Average", calculations: "avg(histogram)", hasMarks: true },
      { name: "Rate", calculations: "rate(count)" },
    ];
  }
  if (kind === "summary") return [{ name: "Rate", calculations: "rate(count)" }, { name: "Rate of the sum", calculations: "rate(sum)" }];
  const latest = { name: "Value", calculations: "last(value)" };
  if (kind === "sum" && isMonotonic) return [{ name: "Rate", calculations: "rate(value)" }, { name: "Increase", calculations: "increase(value)" }, latest];
  return [latest, { name: "Largest", calculations: "max(value)" }];
}

/** @param {MetricInfo} info @returns {Card} */
function cardOf(info) {
  const views = viewsOf(info);
  const view = /** @type {HTMLSelectElement} */ (el("select", {}, views.map(({ name }, at) => el("option", { value: String(at) }, name))));
  const keys = [["", "all"], ...info.keys.map((name) => [name, name]), ["resource.service.instance.id", "process"]];
  const by = /** @type {HTMLSelectElement} */ (el("select", {}, keys.map(([value, name]) => el("option", { value }, name))));
  const link = /** @type {HTMLAnchorElement} */ (el("a", { "aria-label": `Query of ${info.name}` }, "Query"));
  const chart = el("div", { class: "plot" });
  const unit = info.unit === "1" ? "" : info.unit.replace(/[{}]/g, "");
  const facts = [info.service || "no service name", kindOf(info), unit, info.exemplars > 0 && plural(info.exemplars, "exemplar")];
  const node = el(
    "section",
    { class: "panel metric", "aria-label": info.name },
    el(
      "div",
      { class: "head" },
      el("div", {}, el("h2", {}, info.name), info.description && el("p", {}, info.description), el("p", { class: "soft" }, facts.filter(Boolean).join(" · "))),
      el("div", { class: "search choices" }, el("label", {}, "Show", view), el("label", {}, "By", by), link),
    ),
    chart,
  );
  /** @type {Card} */
  const card = { info, views, node, chart, view, by, link, isNear: false, drawnAt: NEVER, drawn: "" };
  for (const select of [view, by]) {
    select.addEventListener("change", () => {
      card.drawnAt = NEVER;
      refresh();
    });
  }
  return card;
}

/** @param {Card} card @param {AbortSignal} signal */
async function drawChart(card, signal) {
  const { info, views, by } = card;
  const view = views[Number(card.view.value)];
  const where = `where name = ${JSON.stringify(info.name)} and service = ${JSON.stringify(info.service)} and kind = ${info.kind}`;
  // Several percentiles of several groups would be too many lines.
  const isSplit = view.calculations.includes(",") && !by.value;
  const calculations = view.calculations.includes(",") && by.value ? "p95(histogram)" : view.calculations;
  const grouped = by.value ? ` by \`${by.value.replaceAll("`", "``")}\`` : "";
  const since = sinceOf();
  const query = `from metrics ${where} | ${calculations}${grouped} every ${STEPS[since]}${grouped && ` limit ${MAX_GROUPS}`} since ${since}`;
  const { text } = await ask(`/api/query?${new URLSearchParams({ q: query })}`, { signal });
  /** @type {Result} */
  const result = JSON.parse(text);
  const marks = view.hasMarks && info.exemplars > 0 ? await marksOf(`from exemplars ${where} limit 2000 since ${since}`, result, signal) : [];
  card.drawnAt = performance.now();
  card.link.href = hrefOf(query);
  const drawn = JSON.stringify([result.columns, result.rows, marks]);
  if (drawn === card.drawn) return;
  card.drawn = drawn;
  card.chart.replaceChildren(result.rows.length ? drawLines(isSplit ? split(result) : result, { marks, isSplit }) : el("p", { class: "soft none" }, "No values in this time."));
}

/**
 * Return a result whose calculations are groups, to draw them in one chart.
 * @param {Result} result @returns {Result}
 */
function split(result) {
  const [time, ...calculations] = result.columns;
  const names = calculations.map(({ name }) => name.replace(/\(.*/, ""));
  return {
    ...result,
    columns: [time, { name: "percentile", type: "text", unit: "", key: "percentile" }, { name: "Percentiles", type: "number", unit: calculations[0].unit, key: "" }],
    rows: result.rows.flatMap(([at, ...values]) => values.map((value, index) => [at, names[index], value])),
  };
}

/**
 * Return the largest exemplar of each time bucket.
 * @param {string} query @param {Result} result @param {AbortSignal} signal
 */
async function marksOf(query, result, signal) {
  const { text } = await ask(`/api/query?${new URLSearchParams({ q: query })}`, { signal });
  /** @type {Result} */
  const { rows, columns } = JSON.parse(text);
  const at = Object.fromEntries(columns.map(({ name }, index) => [name, index]));
  const { unit } = result.columns[result.columns.length - 1];
  const step = BigInt(Math.round(result.step_ms * 1e6));
  const made = rows.map((row) => {
    const [ns, value] = [String(row[at.time]), Number(row[at.value])];
    return { ns, value, href: `/trace/${row[at.trace_id]}#${row[at.span_id]}`, label: `Trace with ${quantity(value, unit)} at ${clock(ns)}` };
  });
  const buckets = groupBy(made, ({ ns }) => BigInt(ns) / step);
  return [...buckets.values()].map((own) => own.reduce((most, one) => (one.value > most.value ? one : most)));
}

function drawLatest() {
  const series = last.filter((one) => `${one.service} ${one.name} ${JSON.stringify(one.attributes)}`.toLowerCase().includes(part()));
  tally.textContent = series.length ? plural(series.length, "series", "series") : "";
  const isOpen = place.querySelector("details")?.open ?? !storage?.stored;
  const tables = [...groupBy(series, (one) => one.service)].map(([service, its]) => table(service, its));
  const isEmpty = !series.length && ![...cards.values()].some(({ node }) => !node.hidden);
  place.replaceChildren();
  if (series.length) place.append(el("details", { class: "latest", open: isOpen }, el("summary", {}, "Latest value of each series"), tables));
  if (isEmpty) place.append(el("section", { class: "empty" }, el("h2", {}, "No metrics."), el("p", {}, last.length ? "Nothing matches the search." : "They arrive once a minute from most SDKs; OTEL_METRIC_EXPORT_INTERVAL changes that.")));
}

/** @param {string} service @param {MetricView[]} series */
function table(service, series) {
  let before = "";
  const lines = series.map((one) => {
    const repeated = one.name === before;
    before = one.name;
    return el(
      "tr",
      { class: repeated ? "repeated" : null },
      el("th", { scope: "row", title: one.description }, one.name, el("span", { class: "soft" }, ` ${kindOf(one)}`)),
      el("td", { class: "of" }, ...attributesOf(one)),
      el("td", { class: "number" }, ...valuesOf(one)),
      el("td", { class: "when", title: fullTime(one.time_ns) }, clock(one.time_ns)),
    );
  });
  return el(
    "section",
    { class: "panel" },
    el("h2", {}, service || "no service name"),
    el(
      "div",
      { class: "scroll" },
      el("table", { class: "series" }, el("thead", {}, el("tr", {}, ...["Metric", "Attributes", "Latest", "At"].map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, ...lines)),
    ),
  );
}

/** @param {{ kind: string, temporality: string }} one */
function kindOf(one) {
  const kind = one.kind === "exponential_histogram" ? "histogram" : one.kind;
  return one.temporality === "delta" ? `${kind}, delta` : kind;
}

/** @param {MetricView} one */
function attributesOf(one) {
  return Object.entries(one.attributes).map(([name, value]) =>
    el("span", { class: "pair" }, el("span", { class: "soft" }, `${name} `), typeof value === "object" ? JSON.stringify(value) : String(value)),
  );
}

/** @param {MetricView} one */
function valuesOf(one) {
  if (one.count === null) return [short(one.value), unit(one)];
  return [
    el("span", { class: "soft" }, "avg "), short(one.avg), unit(one),
    el("span", { class: "line soft" }, `count ${short(one.count)}, sum ${short(one.sum)}${one.max === null ? "" : `, max ${short(one.max)}`}`),
  ];
}

/** @param {number | string | null} value */
function short(value) {
  if (typeof value !== "number") return value === null ? "–" : String(value);
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
}

/** @param {MetricView} one */
function unit(one) {
  const text = one.unit === "1" ? "" : one.unit.replace(/[{}]/g, "");
  return text && el("span", { class: "soft" }, ` ${text}`);
}
