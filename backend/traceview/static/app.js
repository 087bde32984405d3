// Page navigation and refreshing.

import { UnreachableError } from "./api.js";
import { closest } from "./dom.js";
import { focusSearch, readSearch, refreshList, startList } from "./list.js";
import { refreshMetrics, startMetrics } from "./metrics.js";
import { forgetTrace, refreshTrace, showTrace } from "./trace.js";

const PERIOD_MS = 1500;
const offline = document.getElementById("offline");
const fault = document.getElementById("fault");
const live = document.getElementById("live");
const pages = ["list", "trace", "metrics"].map((id) => document.getElementById(id));

let current = null; // { name, refresh }
let paused = false;
let timer = 0;
let asking = null;

function route() {
  const [, first, id] = location.pathname.split("/");
  if (first === "trace" && id) return { name: "trace", id: decodeURIComponent(id).toLowerCase() };
  return { name: first === "metrics" ? "metrics" : "list" };
}

function show() {
  const { name, id } = route();
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
    current = refreshMetrics;
  } else {
    showTrace(id);
    current = refreshTrace;
  }
  refresh();
}

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
    offline.hidden = fault.hidden = true;
  } catch (error) {
    if (mine.signal.aborted) return;
    offline.hidden = !(error instanceof UnreachableError);
    fault.hidden = !offline.hidden;
    if (!fault.hidden) {
      document.getElementById("fault-what").textContent = String(error);
      console.error(error);
    }
  }
  if (mine === asking) timer = setTimeout(tick, PERIOD_MS);
}

function tick() {
  if (paused || document.hidden) timer = setTimeout(tick, PERIOD_MS);
  else refresh();
}

live.addEventListener("click", () => {
  paused = !paused;
  live.setAttribute("aria-pressed", String(!paused));
  document.getElementById("live-word").textContent = paused ? "Paused" : "Live";
  if (!paused) refresh();
});

document.addEventListener("click", (event) => {
  const link = closest(event.target, "a[href^='/']");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(link.getAttribute("href"));
});

document.addEventListener("keydown", (event) => {
  if (closest(event.target, "input") || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.key === "/" && route().name === "list") {
    event.preventDefault();
    focusSearch();
  }
});

window.addEventListener("popstate", show);
startList({ refresh, go });
startMetrics();
show();
