// Page navigation and refreshing.

import { UnreachableError } from "./api.js";
import { startDifference } from "./difference.js";
import { byId, closest } from "./dom.js";
import { forgetExceptions, setFailure } from "./errors.js";
import { refreshForward } from "./forward.js";
import { focusSearch, readSearch, refreshList, startList } from "./list.js";
import { focusLogs, readLogs, refreshLogs, startLogs } from "./logs.js";
import { readMetrics, refreshMetrics, startMetrics } from "./metrics.js";
import { focusQuery, readQuery, refreshQuery, startQuery } from "./query.js";
import { forgetTrace, refreshTrace, showTrace } from "./trace.js";
import { startUpload } from "./upload.js";

const PERIOD_MS = 1500;
const offline = byId("offline");
const live = byId("live");
const pages = ["list", "trace", "query", "logs", "metrics"].map(byId);

/** @type {(signal: AbortSignal) => Promise<void>} */
let current = refreshList;
let paused = false;
let timer = 0;
/** @type {AbortController | null} */
let asking = null;

/** @returns {{ name: string, id: string }} */
function route() {
  const [, first, id] = location.pathname.split("/");
  if (first === "trace" && id) return { name: "trace", id: decoded(id).toLowerCase() };
  return { name: ["metrics", "query", "logs"].includes(first) ? first : "list", id: "" };
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // such an address contains a stray %
  }
}

function show() {
  const { name, id } = route();
  forgetExceptions();
  for (const page of pages) page.hidden = page.id !== name;
  for (const tab of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-tab]"))) {
    if (tab.dataset.tab === name || (name === "trace" && tab.dataset.tab === "list")) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (name !== "trace") {
    forgetTrace();
    document.title = name === "metrics" ? "Metrics · traceview" : "traceview";
  }
  if (name === "list") {
    readSearch();
    current = refreshList;
  } else if (name === "metrics") {
    readMetrics();
    current = refreshMetrics;
  } else if (name === "logs") {
    readLogs();
    current = refreshLogs;
  } else if (name === "query") {
    readQuery();
    current = refreshQuery;
  } else {
    showTrace(id);
    current = refreshTrace;
  }
  refresh();
}

/** @param {string} href */
export function go(href) {
  history.pushState({ fromList: route().name === "list" }, "", href);
  scrollTo(0, 0);
  show();
}

// One request at a time: a newer one, after a key stroke or a page change, replaces it.
async function refresh() {
  clearTimeout(timer);
  asking?.abort();
  const mine = new AbortController();
  asking = mine;
  try {
    await current(mine.signal);
    await refreshForward(mine.signal);
    offline.hidden = true;
    setFailure(null);
  } catch (error) {
    if (mine.signal.aborted) return;
    const isOutage = error instanceof UnreachableError;
    offline.hidden = !isOutage;
    setFailure(isOutage ? null : error);
    if (!isOutage) console.error(error);
  }
  if (mine === asking) timer = window.setTimeout(tick, PERIOD_MS);
}

function tick() {
  if (paused || document.hidden) timer = window.setTimeout(tick, PERIOD_MS);
  else refresh();
}

live.addEventListener("click", () => {
  paused = !paused;
  live.setAttribute("aria-pressed", String(!paused));
  byId("live-word").textContent = paused ? "Paused" : "Live";
  if (!paused) refresh();
});

document.addEventListener("click", (event) => {
  const link = closest(event.target, "a[href^='/']:not([download])");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.getAttribute("href") ?? "/");
});

document.addEventListener("keydown", (event) => {
  if (closest(event.target, "input, textarea, select") || event.metaKey || event.ctrlKey || event.altKey) return;
  const focus = { list: focusSearch, query: focusQuery, logs: focusLogs }[route().name];
  if (event.key === "/" && focus) {
    event.preventDefault();
    focus();
  }
});

window.addEventListener("popstate", show);
startList({ refresh, go });
startLogs({ refresh });
startMetrics({ refresh });
startQuery({ go });
startDifference();
startUpload({ refresh });
show();
