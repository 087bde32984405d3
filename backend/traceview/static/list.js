// The list of traces: search, rows that are reused between refreshes, and the empty state.

import { ask, UnreachableError } from "./api.js";
import { knownQueries } from "./board.js";
import { byId, clock, closest, duration, el, formOf, fullTime, inputOf, inside, plural, statusBadge } from "./dom.js";
import { hrefOf } from "./language.js";

/** @typedef {import("../wire").Summary} Summary */
/** @typedef {import("../wire").FileStatus} FileStatus */

const form = formOf("search");
const rows = byId("traces");
const empty = byId("empty");
const tally = byId("tally");
const heads = inside(document, ".heads");
const forget = byId("forget");
const notice = byId("storage");
const LIMIT = 200;
const LINKED = 8; // queries that the list leads to

/** @type {Map<string, { key: string, node: HTMLElement, link: HTMLAnchorElement }>} */
const shown = new Map(); // by trace id
let primed = false;
/** @type {FileStatus | null} */
let storage = null; // does not change while the server runs

/** @param {{ refresh: () => void, go: (href: string) => void }} actions */
export function startList({ refresh, go }) {
  form.addEventListener("input", () => {
    history.replaceState(null, "", address());
    refresh();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (inputOf(form, "trace_id").value && shown.size === 1) for (const { link } of shown.values()) go(link.pathname);
  });
  forget.addEventListener("click", async () => {
    try {
      await ask("/api/traces", { method: "DELETE" });
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
    } finally {
      refresh(); // also shows that the server is unreachable
    }
  });
  rows.addEventListener("keydown", (event) => {
    const row = closest(event.target, "li");
    const isDown = event.key === "ArrowDown" || event.key === "j";
    if (!row || !(isDown || event.key === "ArrowUp" || event.key === "k")) return;
    const to = isDown ? row.nextElementSibling : row.previousElementSibling;
    if (!to) return;
    event.preventDefault();
    inside(to, "a").focus();
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

/** @param {AbortSignal} signal */
export async function refreshList(signal) {
  if (!storage) {
    const status = /** @type {FileStatus} */ (JSON.parse((await ask("/api/storage", { signal })).text));
    showStorage(status);
    if (status.stored) showQueries(await knownQueries(signal));
  }
  const query = search();
  const { status, headers, text } = await ask(`/api/traces?limit=${LIMIT}&${query}`, { signal, expected: [400] });
  const answer = JSON.parse(text);
  if (status === 400) {
    tally.textContent = answer.error;
    tally.classList.add("wrong");
    return;
  }
  tally.classList.remove("wrong");
  draw(answer, [...new URLSearchParams(query).keys()].some((name) => name !== "background"), Number(headers.get("Hidden-Traces") ?? 0));
}

/** @param {FileStatus} status */
function showStorage(status) {
  storage = status;
  notice.hidden = status.stored;
  notice.textContent = status.stored ? "" : `Only the newest traces are kept, in memory, and queries are not available: ${status.reason}.`;
}

/** @param {import("../wire").Queries} queries */
function showQueries({ useful }) {
  const place = byId("asked");
  place.hidden = false;
  place.replaceChildren(...useful.slice(0, LINKED).map((one) => el("a", { href: hrefOf(one.query), title: one.question }, one.name)), el("a", { href: "/query" }, "More queries"));
}

function search() {
  const given = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
  return new URLSearchParams(given.filter(([, value]) => value.trim())).toString();
}

function address() {
  const query = search();
  return query ? `/?${query}` : "/";
}

/** @param {Summary[]} traces @param {boolean} searched @param {number} hidden traces of background work */
function draw(traces, searched, hidden) {
  const longest = Math.max(...traces.map((trace) => trace.duration_ms), 1);
  const failed = traces.filter((trace) => trace.error).length;
  const parts = [traces.length === LIMIT ? `the newest ${LIMIT} traces` : plural(traces.length, "trace")];
  if (failed) parts.push(`${failed} with errors`);
  if (hidden) parts.push(`${hidden} of background work hidden`);
  tally.textContent = traces.length || hidden ? parts.join(", ") : "";
  forget.hidden = !traces.length && !hidden;
  heads.hidden = !traces.length;
  drawEmpty(traces.length === 0, searched, hidden > 0);

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
      const link = /** @type {HTMLAnchorElement} */ (el("a", { href: `/trace/${trace.trace_id}` }));
      fill(link, trace);
      row = { key, link, node: el("li", { class: primed ? "arrived" : null }, link) };
      shown.set(trace.trace_id, row);
    } else if (row.key !== key) {
      row.key = key;
      fill(row.link, trace);
    }
    inside(row.node, ".length").style.width = `${share(trace.duration_ms, longest)}%`;
    if (rows.children[place] !== row.node) rows.insertBefore(row.node, rows.children[place] ?? null);
  });
  primed = true;
}

/**
 * Durations differ by factors of a thousand, so the bars are logarithmic.
 * @param {number} ms @param {number} longest
 */
function share(ms, longest) {
  return Math.max(2, (100 * Math.log1p(ms * 10)) / Math.log1p(longest * 10));
}

/** @param {HTMLAnchorElement} link @param {Summary} trace */
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

/**
 * `GET /route` is shown with its method apart, so that routes line up. A request that matched
 * no route is named after its method alone, so its path is shown instead.
 * @param {Summary} trace
 * @returns {[string, string | null]} the name and the method
 */
export function split(trace) {
  if (trace.method && trace.name === trace.method) return [trace.route || "", trace.method];
  const prefix = `${trace.method} `;
  return trace.method && trace.name.startsWith(prefix) ? [trace.name.slice(prefix.length), trace.method] : [trace.name || "(no name)", null];
}

/**
 * The empty state. It is rendered once per reason, so that its text can be selected while the
 * page keeps refreshing.
 * @param {boolean} isEmpty @param {boolean} searched @param {boolean} hides whether matching traces are hidden
 */
function drawEmpty(isEmpty, searched, hides) {
  empty.hidden = !isEmpty;
  const reason = hides ? "hidden" : searched ? "search" : "none";
  if (!isEmpty || empty.dataset.reason === reason) return;
  empty.dataset.reason = reason;
  empty.replaceChildren(
    el("img", { src: "/static/icon.svg", alt: "", width: 72, height: 72 }),
    ...(hides
      ? [el("h2", {}, "Only background work"), el("p", {}, "Sweeps, polls and the like are hidden. The switch Background work shows them.")]
      : searched
      ? [el("h2", {}, "No trace matches"), el("p", {}, "Change the search, or send the request again: only the newest traces are kept.")]
      : [
          el("h2", {}, "No traces yet"),
          el("p", {}, "Send a request to the service, and its trace appears here. Any OpenTelemetry SDK can send to this page:"),
          el("pre", {}, `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin}\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`),
          storage?.stored ? el("p", { class: "soft" }, `Traces are stored in ${storage.file}.`) : "",
        ]),
  );
}
