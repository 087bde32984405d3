// The latest value of every series, by service.

import { ask } from "./api.js";
import { clock, el, formOf, fullTime, inputOf, plural } from "./dom.js";

const form = formOf("metric-search");
const tally = document.getElementById("metric-tally");
const place = document.getElementById("series");
let last = [];
let key = "";

export function startMetrics() {
  form.addEventListener("input", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
}

export async function refreshMetrics(signal) {
  const response = await ask("/api/metrics", { signal });
  const text = await response.text();
  if (text === key) return;
  key = text;
  last = JSON.parse(text);
  draw();
}

function draw() {
  const part = inputOf(form, "part").value.trim().toLowerCase();
  const series = last.filter((one) => `${one.service} ${one.name} ${JSON.stringify(one.attributes)}`.toLowerCase().includes(part));
  tally.textContent = series.length ? `${plural(series.length, "series", "series")}, the latest value of each` : "";
  const services = Map.groupBy ? Map.groupBy(series, (one) => one.service) : groupBy(series, (one) => one.service);
  place.replaceChildren(...[...services].map(([service, its]) => table(service, its)));
  if (!series.length) place.append(el("section", { class: "empty" }, el("h2", {}, "No metrics."), el("p", {}, last.length ? "Nothing matches the search." : "They arrive once a minute from most SDKs; OTEL_METRIC_EXPORT_INTERVAL changes that.")));
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

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

function kindOf(one) {
  const kind = { exponential_histogram: "histogram", sum: "sum" }[one.kind] ?? one.kind;
  return one.temporality === "delta" ? `${kind}, delta` : kind;
}

function attributesOf(one) {
  return Object.entries(one.attributes).map(([name, value]) =>
    el("span", { class: "pair" }, el("span", { class: "soft" }, `${name} `), typeof value === "object" ? JSON.stringify(value) : String(value)),
  );
}

function valuesOf(one) {
  if (one.count === null) return [short(one.value), unit(one)];
  return [
    el("span", { class: "soft" }, "avg "), short(one.avg), unit(one),
    el("span", { class: "line soft" }, `count ${short(one.count)}, sum ${short(one.sum)}${one.max === null ? "" : `, max ${short(one.max)}`}`),
  ];
}

function short(value) {
  if (typeof value !== "number") return value === null ? "–" : String(value);
  return Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));
}

function unit(one) {
  const text = one.unit === "1" ? "" : one.unit.replace(/[{}]/g, "");
  return text && el("span", { class: "soft" }, ` ${text}`);
}
