// The list of traces: search, rows that are reused between refreshes, and the empty state.

import { ask } from "./api.js";
import { clock, closest, duration, el, formOf, fullTime, inputOf, plural, statusBadge } from "./dom.js";

const form = formOf("search");
const rows = document.getElementById("traces");
const empty = document.getElementById("empty");
const tally = document.getElementById("tally");
const heads = /** @type {HTMLElement} */ (document.querySelector(".heads"));
const forget = document.getElementById("forget");
const LIMIT = 200;

const shown = new Map(); // trace id → { key, node }
let primed = false;

export function startList({ refresh, go }) {
  form.addEventListener("input", () => {
    history.replaceState(null, "", address());
    refresh();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (inputOf(form, "trace_id").value && rows.children.length === 1) go(rows.querySelector("a").getAttribute("href"));
  });
  forget.addEventListener("click", async () => {
    try {
      await ask("/api/traces", { method: "DELETE" });
    } finally {
      refresh(); // also shows an error if the server is unreachable
    }
  });
  rows.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling", j: "nextElementSibling", k: "previousElementSibling" }[event.key];
    const to = step && closest(event.target, "li")?.[step];
    if (!to) return;
    event.preventDefault();
    to.querySelector("a").focus();
  });
}

export function readSearch() {
  const wanted = new URLSearchParams(location.search);
  for (const input of form.querySelectorAll("input")) {
    if (input.type === "checkbox") input.checked = wanted.has(input.name);
    else input.value = wanted.get(input.name) ?? "";
  }
}

export function focusSearch() {
  inputOf(form, "name").focus();
}

export async function refreshList(signal) {
  const query = search();
  const response = await ask(`/api/traces?limit=${LIMIT}&${query}`, { signal });
  const answer = await response.json();
  if (response.status === 400) {
    tally.textContent = answer.error;
    tally.classList.add("wrong");
    return;
  }
  if (!response.ok) throw new Error(answer.error);
  tally.classList.remove("wrong");
  draw(answer, query !== "");
}

function search() {
  const given = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  return new URLSearchParams(given.filter(([, value]) => value.trim())).toString();
}

function address() {
  const query = search();
  return query ? `/?${query}` : "/";
}

function draw(traces, searched) {
  const longest = Math.max(...traces.map((trace) => trace.duration_ms), 1);
  const failed = traces.filter((trace) => trace.error).length;
  const parts = [traces.length === LIMIT ? `the newest ${LIMIT} traces` : plural(traces.length, "trace")];
  if (failed) parts.push(`${failed} with errors`);
  tally.textContent = traces.length ? parts.join(", ") : "";
  forget.hidden = !traces.length;
  heads.hidden = !traces.length;
  drawEmpty(traces.length === 0, searched);

  const here = new Set(traces.map((trace) => trace.trace_id));
  for (const [id, { node }] of shown) {
    if (here.has(id)) continue;
    node.remove();
    shown.delete(id);
  }
  traces.forEach((trace, place) => {
    const key = JSON.stringify(trace);
    let row = shown.get(trace.trace_id);
    if (!row) {
      row = { key, node: el("li", { class: primed ? "arrived" : null }, rowOf(trace)) };
      shown.set(trace.trace_id, row);
    } else if (row.key !== key) {
      row.key = key;
      fill(row.node.firstChild, trace);
    }
    row.node.querySelector(".length").style.width = `${share(trace.duration_ms, longest)}%`;
    if (rows.children[place] !== row.node) rows.insertBefore(row.node, rows.children[place] ?? null);
  });
  primed = true;
}

// Durations differ by factors of a thousand, so the bars are logarithmic.
function share(ms, longest) {
  return Math.max(2, (100 * Math.log1p(ms * 10)) / Math.log1p(longest * 10));
}

function rowOf(trace) {
  const link = el("a", { href: `/trace/${trace.trace_id}` });
  fill(link, trace);
  return link;
}

function fill(link, trace) {
  link.className = `trace${trace.error ? " failed" : ""}`;
  const [name, verb] = split(trace);
  link.replaceChildren(
    el("time", { class: "when", title: fullTime(trace.start_ns) }, clock(trace.start_ns)),
    statusBadge(trace),
    el(
      "span",
      { class: "what" },
      el("span", { class: "name" }, verb && el("b", { class: "verb" }, verb), name),
      el(
        "span",
        { class: "of" },
        el("span", { class: "service" }, trace.services.join(", ") || "no service name"),
        trace.root_missing && trace.spans > 0 && el("span", { class: "tag", title: "The root's parent is in another system, or has not arrived yet" }, "started elsewhere"),
        trace.errors > 0 && el("span", { class: "tag bad" }, plural(trace.errors, "error")),
      ),
    ),
    el("span", { class: "count" }, el("span", {}, plural(trace.spans, "span")), trace.logs > 0 && el("span", { class: "soft" }, plural(trace.logs, "log"))),
    el("span", { class: "took" }, el("span", { class: "track" }, el("span", { class: "length" })), el("span", { class: "ms" }, trace.spans ? duration(trace.duration_ms) : "–")),
  );
}

// `GET /route` is shown with its method apart, so that routes line up. A request that matched
// no route is named after its method alone, so its path is shown instead.
export function split(trace) {
  if (trace.method && trace.name === trace.method) return [trace.route || "", trace.method];
  const prefix = `${trace.method} `;
  return trace.method && trace.name.startsWith(prefix) ? [trace.name.slice(prefix.length), trace.method] : [trace.name || "(no name)", null];
}

// The empty state. It is rendered once per reason, so that its text can be selected while the
// page keeps refreshing.
function drawEmpty(isEmpty, searched) {
  empty.hidden = !isEmpty;
  const reason = searched ? "search" : "none";
  if (!isEmpty || empty.dataset.reason === reason) return;
  empty.dataset.reason = reason;
  empty.replaceChildren(
    el("img", { src: "/static/icon.svg", alt: "", width: 72, height: 72 }),
    ...(searched
      ? [el("h2", {}, "No trace matches"), el("p", {}, "Change the search, or send the request again: only the newest traces are kept.")]
      : [
          el("h2", {}, "No traces yet"),
          el("p", {}, "Send a request to the service, and its trace appears here. Any OpenTelemetry SDK can send to this page:"),
          el("pre", {}, `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`),
          el("p", { class: "soft" }, "The newest 500 traces are kept in memory until this process ends."),
        ]),
  );
}
