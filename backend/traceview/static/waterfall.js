// The spans of a trace as a treegrid. Of a long trace, only the rows near the viewport are in the
// document; all are, up to the number that a screenshot of the whole page can have.

import { closest, duration, el, groupBy, inside, offset, plural } from "./dom.js";
import { detailsOf, rankOf, showRank } from "./span_details.js";
import { GROUPS, groupOf, keyOf, levelOf, oneLine, scaleOf } from "./span_look.js";

/** @typedef {import("../wire").TraceView} Trace */
/** @typedef {import("../wire").SpanView} Span */
/** @typedef {import("../wire").LogView} Line */
/** @typedef {import("../wire").Ranking} Ranking */

/**
 * A row of the tree: a span, or repeated statements whose spans are below it.
 * @typedef {{
 *   key: string, span: Span, repeat: import("../wire").RepeatView | null, depth: number, parent: number,
 *   children: number, position: number, lines: Line[], members: Span[],
 * }} Entry
 */
/** @typedef {{ entry: Entry, isPanel: boolean }} Item something with a height: a row, or details */

const ALL_ITEMS = 500;
const MARGIN_PX = 800;
const MAX_INDENT = 24;
const PANEL_PX = 320; // until it is measured
const PARTS = 400; // how many parts of a bar can be told apart
const SLOW_PERCENTILE = 95;

export class Waterfall {
  /** @type {Entry[]} */
  #entries = [];
  /** @type {Item[]} */
  #items = [];
  /** @type {number[]} */
  #tops = [0]; // of the items, in pixels, and the end of the last
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map(); // in the document
  /** @type {Map<string, HTMLElement>} */
  #panels = new Map(); // of the open spans
  /** @type {WeakMap<Element, number>} */
  #heights = new WeakMap(); // of the panels
  #open = new Set();
  #toggled = new Set(); // rows that are folded, and repeated statements that are not
  #active = "";
  #focused = "";
  #rowHeight = 30;
  #width = innerWidth;
  #isPrinted = false;
  #frame = 0;
  /** @type {Ranking | null} */
  #ranking = null;
  #list = el("div", { class: "spans", role: "treegrid", "aria-label": "Spans", "aria-colcount": 2 });
  #sizes = new ResizeObserver((changes) => this.#measure(changes));
  #find = /** @type {HTMLInputElement} */ (
    el("input", { type: "search", class: "find", placeholder: "Find a span", "aria-label": "Find a span by its name, service or attributes", spellcheck: "false", onkeydown: (/** @type {KeyboardEvent} */ event) => this.#onFindKey(event), oninput: () => this.#countFound() })
  );
  #found = el("span", { class: "soft", role: "status" });
  #trace;
  #scale;
  #remember;

  /**
   * @param {Trace} trace
   * @param {(span: Span, isOpen: boolean) => void} remember is called when the user opens or closes a span
   */
  constructor(trace, remember) {
    this.#trace = trace;
    this.#remember = remember;
    this.#scale = scaleOf(trace);
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("click", (event) => this.#onClick(event));
  }

  get scale() {
    return this.#scale;
  }

  /**
   * Take another state of the trace, and keep what is open, folded and focused.
   * @param {Trace} trace
   */
  update(trace) {
    this.#focused = document.activeElement === this.#find ? "find" : this.#focusedRow() ? "row" : "";
    this.#trace = trace;
    this.#scale = scaleOf(trace);
    this.#entries = entriesOf(trace);
    for (const panel of this.#panels.values()) this.#sizes.unobserve(panel);
    this.#panels.clear();
    this.#rows.clear();
    if (!this.#entries.some(({ key }) => key === this.#active)) this.#active = this.#entries[0]?.key ?? "";
  }

  /** Draw the rows. The panel must be in the document, because the viewport decides which. */
  draw() {
    this.#layOut();
    if (this.#focused === "find") this.#find.focus({ preventScroll: true });
    else if (this.#focused === "row") this.#rows.get(this.#active)?.focus({ preventScroll: true });
  }

  /** @param {Ranking} ranking */
  rank(ranking) {
    this.#ranking = ranking;
    for (const { key, span } of this.#entries) {
      const panel = this.#panels.get(key);
      if (panel) showRank(panel, span, ranking);
      const row = this.#rows.get(key);
      if (row) this.#showRank(row, span);
    }
  }

  /** Add listeners for as long as the trace is shown. */
  start() {
    addEventListener("scroll", this.#schedule, { passive: true });
    addEventListener("resize", this.#onResize);
    addEventListener("beforeprint", this.#onPrint);
    addEventListener("afterprint", this.#onPrint);
  }

  stop() {
    removeEventListener("scroll", this.#schedule);
    removeEventListener("resize", this.#onResize);
    removeEventListener("beforeprint", this.#onPrint);
    removeEventListener("afterprint", this.#onPrint);
    cancelAnimationFrame(this.#frame);
    this.#sizes.disconnect();
  }

  /** The panel of the page, without rows until `draw` is called. */
  panel() {
    const { spans } = this.#trace;
    /** @type {Set<string>} */
    const present = new Set(spans.map(groupOf));
    const legend = Object.entries(GROUPS)
      .filter(([group]) => present.has(group))
      .map(([group, name]) => el("span", { class: `key ${group}` }, name));
    if (spans.some((span) => span.status === "ERROR")) legend.push(el("span", { class: "key error" }, "error"));
    if (spans.length > 1) legend.push(el("span", { class: "key path" }, "critical path"));
    if (spans.some((span) => span.gaps.length)) legend.push(el("span", { class: "key idle" }, "gap"));
    const ticks = [0, 25, 50, 75, 100].map((share) =>
      el("span", { class: `tick at-${share}`, css: { left: `${share}%` } }, share ? duration((this.#scale.total * share) / 100) : "0"),
    );
    return el(
      "section",
      { class: "panel waterfall", "aria-label": "Waterfall" },
      el(
        "div",
        { class: "tools" },
        el("div", { class: "legend" }, legend),
        spans.some((span) => span.children) && el(
          "div",
          { class: "folds" },
          this.#found,
          this.#find,
          el("button", { type: "button", class: "quiet", onclick: () => this.#foldAll(true) }, "Fold"),
          el("button", { type: "button", class: "quiet", onclick: () => this.#foldAll(false) }, "Unfold"),
        ),
      ),
      el("div", { class: "ruler", "aria-hidden": "true" }, el("span", { class: "soft" }, "Span"), el("div", { class: "ticks" }, ticks)),
      this.#list,
    );
  }

  /**
   * Open the details of a span.
   * @param {string} key
   */
  open(key) {
    this.#open.add(key);
  }

  /**
   * Unfold what a span is in, and move the focus to it.
   * @param {(span: Span) => boolean} isWanted @param {boolean} [isOpened] also open its details
   */
  focusSpan(isWanted, isOpened = false) {
    const place = this.#entries.findIndex(({ span, repeat }) => !repeat && isWanted(span));
    if (place < 0) return;
    const entry = this.#entries[place];
    for (let above = entry.parent; above >= 0; above = this.#entries[above].parent) {
      if (this.#isFolded(this.#entries[above])) this.#toggle(this.#entries[above]);
    }
    if (isOpened) {
      this.#open.add(entry.key);
      this.#remember(entry.span, true);
    }
    this.#active = entry.key;
    this.#layOut();
    this.#focusActive();
  }

  /**
   * Whether there is another span with the id of a span.
   * @param {string} id @param {string} kind of the span
   */
  hasTwin(id, kind) {
    return this.#trace.spans.some((span) => span.span_id === id && span.kind !== kind);
  }

  // --- search ----------------------------------------------------------------------------------

  /** @returns {Entry[]} the spans that contain the wanted text, in display order */
  #matches() {
    const wanted = this.#find.value.trim().toLowerCase();
    if (!wanted) return [];
    return this.#entries.filter(({ span, repeat }) => !repeat && textOf(span).includes(wanted));
  }

  #countFound() {
    const { length } = this.#matches();
    this.#found.textContent = this.#find.value.trim() ? plural(length, "match", "matches") : "";
  }

  /** @param {KeyboardEvent} event */
  #onFindKey(event) {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const matches = this.#matches();
    if (!matches.length) return;
    const at = matches.findIndex(({ key }) => key === this.#active);
    const next = event.shiftKey ? (at < 0 ? -1 : at - 1) : at + 1;
    const place = (next + matches.length) % matches.length;
    const { key } = matches[place];
    this.focusSpan((span) => keyOf(span) === key);
    this.#found.textContent = `${place + 1} of ${matches.length}`;
    this.#rows.get(key)?.classList.add("match");
    this.#find.focus({ preventScroll: true });
  }

  // --- state -----------------------------------------------------------------------------------

  /** @param {Entry} entry */
  #isFolded(entry) {
    return entry.children > 0 && (entry.repeat !== null) !== this.#toggled.has(entry.key);
  }

  /** @param {Entry} entry */
  #toggle(entry) {
    if (!this.#toggled.delete(entry.key)) this.#toggled.add(entry.key);
  }

  /** @param {boolean} fold */
  #foldAll(fold) {
    for (const entry of this.#entries) if (entry.children && this.#isFolded(entry) !== fold) this.#toggle(entry);
    this.#layOut();
  }

  /** @param {Entry} entry */
  #fold(entry) {
    this.#toggle(entry);
    this.#layOut();
  }

  /** @param {Entry} entry */
  #openOrClose(entry) {
    if (entry.repeat) {
      this.#fold(entry);
      return;
    }
    const isOpen = !this.#open.delete(entry.key);
    if (isOpen) this.#open.add(entry.key);
    this.#remember(entry.span, isOpen);
    this.#layOut();
  }

  // --- layout ----------------------------------------------------------------------------------

  /** Determine the rows that are not folded away, and draw those near the viewport. */
  #layOut() {
    this.#items = [];
    let hiddenBelow = Infinity;
    for (const entry of this.#entries) {
      if (entry.depth > hiddenBelow) continue;
      hiddenBelow = this.#isFolded(entry) ? entry.depth : Infinity;
      this.#items.push({ entry, isPanel: false });
      if (this.#open.has(entry.key) && !entry.repeat) this.#items.push({ entry, isPanel: true });
    }
    // The row with the focus may have been folded away.
    let at = this.#entries.find(({ key }) => key === this.#active);
    while (at && !this.#items.some(({ entry }) => entry === at)) at = this.#entries[at.parent];
    this.#active = at?.key ?? "";
    this.#list.setAttribute("aria-rowcount", String(this.#items.length));
    this.#place();
    this.#draw();
  }

  #place() {
    let top = 0;
    this.#tops = this.#items.map(({ entry, isPanel }) => {
      const above = top;
      const panel = isPanel ? this.#panels.get(entry.key) : undefined;
      top += isPanel ? ((panel && this.#heights.get(panel)) ?? PANEL_PX) : this.#rowHeight;
      return above;
    });
    this.#tops.push(top);
  }

  #schedule = () => {
    if (this.#items.length <= ALL_ITEMS) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  };

  #onResize = () => {
    const isFocused = this.#focusedRow() !== null;
    if (innerWidth !== this.#width) this.#rows.clear(); // the labels of bars depend on it
    this.#width = innerWidth;
    this.#draw();
    if (isFocused) this.#rows.get(this.#active)?.focus({ preventScroll: true });
  };

  /** @param {Event} event */
  #onPrint = (event) => {
    this.#isPrinted = event.type === "beforeprint";
    this.#draw();
  };

  /** @param {ResizeObserverEntry[]} changes */
  #measure(changes) {
    let isChanged = false;
    for (const { target } of changes) {
      const height = target.getBoundingClientRect().height;
      if (!target.isConnected || this.#heights.get(target) === height) continue;
      this.#heights.set(target, height);
      isChanged = true;
    }
    if (!isChanged) return;
    this.#place();
    this.#schedule();
  }

  /** @returns {[number, number]} the first item near the viewport, and the one after the last */
  #nearby() {
    const count = this.#items.length;
    if (count <= ALL_ITEMS || this.#isPrinted) return [0, count];
    const top = -this.#list.getBoundingClientRect().top;
    const first = firstWhere(count, (place) => this.#tops[place + 1] > top - MARGIN_PX);
    const end = firstWhere(count, (place) => this.#tops[place] > top + innerHeight + MARGIN_PX);
    const start = Math.min(first, count - 1);
    return [start, Math.max(end, start + 1)];
  }

  #draw() {
    if (!this.#items.length) return;
    const [first, end] = this.#nearby();
    const places = Array.from({ length: end - first }, (_, place) => first + place);
    let [above, below] = [this.#tops[first], this.#tops[this.#items.length] - this.#tops[end]];
    // The row with the focus stays in the document, outside of the viewport.
    const active = this.#items.findIndex(({ entry, isPanel }) => entry.key === this.#active && !isPanel);
    if (active >= 0 && active < first) {
      places.unshift(active);
      above -= this.#rowHeight;
    } else if (active >= end) {
      places.push(active);
      below -= this.#rowHeight;
    }
    const wanted = places.map((place) => this.#items[place]);
    const nodes = wanted.map((item) => (item.isPanel ? this.#panelOf(item.entry) : this.#rowOf(item.entry)));
    const kept = new Set(nodes);
    for (const node of [...this.#list.children]) if (!kept.has(/** @type {HTMLElement} */ (node))) node.remove();
    nodes.forEach((node, place) => {
      if (this.#list.children[place] !== node) this.#list.insertBefore(node, this.#list.children[place] ?? null);
      node.setAttribute("aria-rowindex", String(places[place] + 1));
      if (!wanted[place].isPanel) this.#showState(node, wanted[place].entry);
    });
    const shown = new Set(wanted.filter(({ isPanel }) => !isPanel).map(({ entry }) => entry.key));
    for (const key of [...this.#rows.keys()]) if (!shown.has(key)) this.#rows.delete(key);
    this.#list.style.paddingTop = `${above}px`;
    this.#list.style.paddingBottom = `${below}px`;
    const rendered = nodes[wanted.findIndex(({ isPanel }) => !isPanel)];
    const height = rendered?.getBoundingClientRect().height;
    if (height && Math.abs(height - this.#rowHeight) > 0.01) {
      this.#rowHeight = height;
      this.#place();
      this.#draw();
    }
  }

  // --- rows ------------------------------------------------------------------------------------

  /** @param {HTMLElement} row @param {Entry} entry */
  #showState(row, entry) {
    const isFolded = this.#isFolded(entry);
    const isOpen = this.#open.has(entry.key);
    row.tabIndex = entry.key === this.#active ? 0 : -1;
    row.classList.toggle("opened", isOpen);
    if (entry.key !== this.#active) row.classList.remove("match");
    if (entry.children) row.setAttribute("aria-expanded", String(!isFolded));
    inside(row, ".hidden-count").textContent = isFolded && !entry.repeat ? `+${this.#countBelow(entry)}` : "";
    inside(row, ".state").textContent = isOpen ? "details shown" : "";
  }

  /** @param {Entry} entry */
  #countBelow(entry) {
    const place = this.#entries.indexOf(entry);
    let end = place + 1;
    let spans = 0;
    for (; this.#entries[end]?.depth > entry.depth; end += 1) if (!this.#entries[end].repeat) spans += 1;
    return spans;
  }

  /** @param {Entry} entry */
  #rowOf(entry) {
    let row = this.#rows.get(entry.key);
    if (!row) {
      row = entry.repeat ? repeatRow(entry, entry.repeat, this.#scale) : spanRow(entry, this.#scale);
      row.setAttribute("aria-setsize", String(this.#siblings(entry)));
      this.#rows.set(entry.key, row);
      this.#showRank(row, entry.span);
    }
    return row;
  }

  /** @param {Entry} entry */
  #siblings(entry) {
    return entry.parent >= 0 ? this.#entries[entry.parent].children : this.#entries.filter(({ parent }) => parent < 0).length;
  }

  /** @param {HTMLElement} row @param {Span} span */
  #showRank(row, span) {
    const rank = rankOf(span, this.#ranking);
    const tag = row.querySelector(".tag.rank");
    if (!tag) return;
    tag.textContent = rank && rank.percentile >= SLOW_PERCENTILE ? `p${rank.percentile}` : "";
    if (rank) tag.setAttribute("title", `Slow: ${rank.text}`);
  }

  /** @param {Entry} entry */
  #panelOf(entry) {
    let panel = this.#panels.get(entry.key);
    if (!panel) {
      const details = detailsOf(entry.span, this.#trace, entry.lines, this.#scale, this.#ranking);
      details.setAttribute("role", "gridcell");
      details.setAttribute("aria-colspan", "2");
      panel = el("div", { role: "row", class: `about ${lookOf(entry.span)}`, "aria-level": entry.depth + 1 }, details);
      this.#panels.set(entry.key, panel);
      this.#sizes.observe(panel);
    }
    return panel;
  }

  // --- keyboard and pointer --------------------------------------------------------------------

  #focusedRow() {
    const row = closest(document.activeElement, "[data-span]");
    return row && this.#list.contains(row) ? row : null;
  }

  #focusActive() {
    this.#draw(); // the row may be far away
    const row = this.#rows.get(this.#active);
    if (!row) return;
    const place = this.#items.findIndex(({ entry, isPanel }) => entry.key === this.#active && !isPanel);
    const [first, end] = this.#nearby();
    if (place < first || place >= end) {
      scrollBy(0, this.#list.getBoundingClientRect().top + this.#tops[place] - innerHeight / 2);
      this.#draw();
    }
    const shown = this.#rows.get(this.#active) ?? row;
    shown.focus({ preventScroll: true });
    shown.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} key */
  #moveTo(key) {
    this.#active = key;
    this.#focusActive();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const row = this.#focusedRow();
    if (!row || event.target !== row) return;
    const rows = this.#items.filter(({ isPanel }) => !isPanel).map(({ entry }) => entry);
    const place = rows.findIndex(({ key }) => key === row.dataset.span);
    const entry = rows[place];
    const page = Math.max(1, Math.floor((innerHeight * 0.8) / this.#rowHeight));
    const last = rows.length - 1;
    const places = new Map(
      Object.entries({ ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: last, PageDown: Math.min(last, place + page), PageUp: Math.max(0, place - page) }),
    );
    const to = places.get(event.key);
    const isFolded = this.#isFolded(entry);
    if (to !== undefined) {
      if (rows[to]) this.#moveTo(rows[to].key);
    } else if (event.key === "Enter" || event.key === " ") this.#openOrClose(entry);
    else if (event.key === "ArrowRight" && isFolded) this.#fold(entry);
    else if (event.key === "ArrowRight" && entry.children) this.#moveTo(rows[place + 1].key);
    else if (event.key === "ArrowLeft" && entry.children && !isFolded) this.#fold(entry);
    else if (event.key === "ArrowLeft" && entry.parent >= 0) this.#moveTo(this.#entries[entry.parent].key);
    else if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
  }

  /** @param {MouseEvent} event */
  #onClick(event) {
    const row = closest(event.target, "[data-span]");
    const entry = row && this.#entries.find(({ key }) => key === row.dataset.span);
    if (!entry) return;
    this.#active = entry.key;
    if (closest(event.target, ".fold") && entry.children) this.#fold(entry);
    else this.#openOrClose(entry);
    this.#rows.get(entry.key)?.focus({ preventScroll: true });
  }
}

/**
 * The rows of the tree, in display order. Repeated statements get a row above their spans.
 * @param {Trace} trace
 */
function entriesOf(trace) {
  const spansOf = groupBy(trace.spans, (span) => span.span_id);
  const linesOf = groupBy(trace.logs, (line) => {
    const same = spansOf.get(line.span_id ?? "") ?? [];
    return same.find((span) => span.service === line.service) ?? same[0];
  });
  const membersOf = groupBy(trace.spans, (span) => span.repeat);
  /** @type {Entry[]} */
  const entries = [];
  /** @type {number[]} */
  const path = []; // the places of the rows above
  /** @param {Omit<Entry, "parent" | "position">} made */
  const add = (made) => {
    path.length = Math.min(path.length, made.depth);
    const parent = path.at(-1) ?? -1;
    path.push(entries.length);
    entries.push({ ...made, parent, position: 0 });
  };
  /** @type {number | null} */
  let last = null;
  for (const span of trace.spans) {
    const repeat = span.repeat === null ? null : trace.repeats[span.repeat];
    const members = membersOf.get(span.repeat) ?? [];
    if (repeat && span.repeat !== last) {
      add({ key: `repeat ${keyOf(span)}`, span, repeat, depth: span.depth, children: members.length, lines: [], members });
    }
    last = span.repeat;
    add({ key: keyOf(span), span, repeat: null, depth: span.depth + (repeat ? 1 : 0), children: 0, lines: linesOf.get(span) ?? [], members: [] });
  }
  for (const entry of entries) if (!entry.repeat) entry.children = 0;
  let tops = 0;
  for (const entry of entries) {
    const parent = entries[entry.parent];
    if (!parent) entry.position = ++tops;
    else if (parent.repeat) entry.position = parent.members.indexOf(entry.span) + 1;
    else entry.position = ++parent.children;
  }
  return entries;
}

/**
 * What a search looks at.
 * @param {Span} span
 */
function textOf({ name, service, kind, status_message, attributes }) {
  const values = Object.values(attributes).map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)));
  return [name, service, kind, status_message, ...values].join("\n").toLowerCase();
}

/** @param {Span} span */
function lookOf(span) {
  return `${groupOf(span)}${span.status === "ERROR" ? " error" : ""}`;
}

/** @param {Entry} entry @param {string} look @param {any[]} title @param {any[]} lane */
function rowOf(entry, look, title, lane) {
  const fold = el("span", { class: entry.children ? "fold" : "fold none", "aria-hidden": "true" });
  return el(
    "div",
    {
      class: `span row ${look}`,
      role: "row",
      "data-span": entry.key,
      "aria-level": entry.depth + 1,
      "aria-posinset": entry.position,
      css: { "--depth": String(Math.min(entry.depth, MAX_INDENT)) },
    },
    el("div", { class: "title", role: "gridcell" }, fold, el("span", { class: "open" }, title, el("span", { class: "hidden-count" }), el("span", { class: "state unseen" }))),
    el("div", { class: "lane", role: "gridcell" }, lane.flat()),
  );
}

/** @param {Entry} entry @param {import("./span_look.js").Scale} scale */
function spanRow(entry, scale) {
  const { span, lines } = entry;
  const group = groupOf(span);
  const start = startOf(span, scale);
  const left = scale.share(start);
  const width = Math.min(100 - left, scale.share(span.duration_ms));
  const moments = [
    ...span.events.map((event) => ["event", event.time_ns, `${event.name} ${offset(event.offset_ms)}`]),
    ...lines.map((line) => [`line ${levelOf(line)}`, line.time_ns, oneLine(line)]),
  ].slice(0, 60);
  const gaps = merged(span.gaps, scale).map(([from, length]) =>
    el("span", { class: "gap", title: `${duration(length)} in which no child runs`, css: extent(start + from, length, scale) }),
  );
  const path = merged(span.critical, scale).map(([from, length]) => el("span", { class: "critical", css: extent(start + from, length, scale) }));
  const marks = moments.map(([look, ns, title]) => el("span", { class: `mark ${look}`, title, css: { left: `${scale.share(scale.at(ns))}%` } }));
  return rowOf(
    entry,
    lookOf(span),
    [
      el("span", { class: "dot" }),
      el("span", { class: "name", title: span.name }, span.name || "(no name)"),
      group === "http" && el("span", { class: "aside soft" }, String(span.attributes["server.address"] ?? "")),
      span.status === "ERROR" && el("span", { class: "tag bad" }, "error"),
      span.parent_missing && el("span", { class: "tag" }, "parent not received"),
      lines.length > 0 && el("span", { class: "tag lines", title: plural(lines.length, "log line") }, plural(lines.length, "log")),
      el("span", { class: "tag odd rank" }),
      el("span", { class: "kind" }, span.kind.toLowerCase()),
    ],
    [el("span", { class: "extent", css: { left: `${left}%`, width: `${width}%` } }), gaps, path, marks, labelOf(duration(span.duration_ms), left, width)],
  );
}

/** @param {Entry} entry @param {import("../wire").RepeatView} repeat @param {import("./span_look.js").Scale} scale */
function repeatRow(entry, repeat, scale) {
  const spans = entry.members.map((span) => /** @type {import("../wire").Part} */ ([startOf(span, scale), span.duration_ms]));
  spans.sort((a, b) => a[0] - b[0]);
  const bars = merged(spans, scale).map(([start, length]) => el("span", { class: "extent", css: extent(start, length, scale) }));
  const left = scale.share(spans[0][0]);
  const end = Math.max(...spans.map(([start, length]) => scale.share(start + length)));
  return rowOf(
    entry,
    `repeated ${groupOf(entry.span)}`,
    [el("span", { class: "dot" }), el("span", { class: "name", title: repeat.name }, el("b", {}, `${repeat.count} × `), repeat.name), el("span", { class: "tag odd" }, "repeated")],
    [bars, labelOf(duration(repeat.total_ms), left, end - left)],
  );
}

/** @param {Span} span @param {import("./span_look.js").Scale} scale */
function startOf(span, scale) {
  return span.start_ns === "0" ? 0 : scale.at(span.start_ns);
}

/** @param {number} start @param {number} length @param {import("./span_look.js").Scale} scale */
function extent(start, length, scale) {
  const left = scale.share(start);
  return { left: `${left}%`, width: `${Math.min(100 - left, scale.share(length))}%` };
}

/**
 * Merge parts that are too close to be told apart.
 * @param {import("../wire").Part[]} parts in the order of their start
 * @param {import("./span_look.js").Scale} scale
 */
function merged(parts, scale) {
  const near = scale.total / PARTS;
  /** @type {import("../wire").Part[]} */
  const result = [];
  for (const [start, length] of parts) {
    const last = result.at(-1);
    if (last && start - (last[0] + last[1]) < near && parts.length > 50) last[1] = Math.max(last[1], start + length - last[0]);
    else result.push([start, length]);
  }
  return result;
}

/** @param {string} text @param {number} left @param {number} width in percent, of the bar */
function labelOf(text, left, width) {
  const room = innerWidth < 800 ? 40 : 15; // maximum width of a label, in percent
  const side = left + width < 100 - room ? "after" : left > room ? "before" : "inside";
  const label = el("span", { class: `label ${side}` }, text);
  if (side === "after") label.style.left = `${left + width}%`;
  else if (side === "before") label.style.right = `${100 - left}%`;
  else label.style.left = `${left}%`;
  return label;
}

/**
 * Find the first number for which a condition that stays true is true.
 * @param {number} count @param {(place: number) => boolean} isTrue
 */
function firstWhere(count, isTrue) {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (isTrue(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
