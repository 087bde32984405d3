// What charts have in common: they are drawn again when their width changes, and have axes.

import { el, svg } from "./dom.js";
import { quantity, timeTicks } from "./format.js";

export const MARGIN = { left: 64, right: 14, top: 10, bottom: 26 };

/** @typedef {{ width: number, height: number, left: number, top: number, right: number, bottom: number }} Frame the plot in the chart, in pixels */

/**
 * Return a chart that is drawn for its width, and again when that changes.
 * @param {number} height @param {(frame: Frame) => Node[]} draw
 */
export function chart(height, draw) {
  const node = el("div", { class: "chart" });
  node.style.height = `${height}px`;
  let width = 0;
  new ResizeObserver(() => {
    if (node.clientWidth === width || !node.clientWidth) return;
    width = node.clientWidth;
    node.replaceChildren(...draw({ width, height, left: MARGIN.left, top: MARGIN.top, right: width - MARGIN.right, bottom: height - MARGIN.bottom }));
  }).observe(node);
  return node;
}

/**
 * @param {Frame} frame @param {number} fromMs @param {number} toMs
 * @param {{ at: number, label: string }[]} values ticks of the values, at shares of the height
 * @param {...Node} marks
 */
export function axes(frame, fromMs, toMs, values, ...marks) {
  const { left, right, top, bottom, width, height } = frame;
  const times = timeTicks(fromMs, toMs, Math.max(2, (right - left) / 110));
  return svg(
    "svg",
    { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" },
    values.flatMap(({ at, label }) => {
      const y = bottom - at * (bottom - top);
      return [svg("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }), svg("text", { class: "value", x: left - 8, y: y + 4 }, label)];
    }),
    times.flatMap(({ at, label }) => {
      const x = left + ((at - fromMs) / (toMs - fromMs)) * (right - left);
      const anchor = x < left + 20 ? "start" : x > right - 20 ? "end" : "middle";
      return [svg("line", { class: "stem", x1: x, x2: x, y1: bottom, y2: bottom + 4 }), svg("text", { class: "time", x, y: bottom + 17, "text-anchor": anchor }, label)];
    }),
    svg("line", { class: "base", x1: left, x2: right, y1: bottom, y2: bottom }),
    ...marks,
  );
}

/**
 * Place an element over the plot.
 * @param {HTMLElement} node @param {Frame} frame
 */
export function overPlot(node, { left, right, top, bottom }) {
  Object.assign(node.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
  return node;
}

/** @param {number} value @param {string} unit @param {number} top */
export function labelled(value, unit, top) {
  return { at: value / top, label: tickLabel(value, unit) };
}

/** @param {string} ns */
export function asMs(ns) {
  return Number(BigInt(ns) / 1000n) / 1000;
}

/**
 * A round number needs no zeros after the point, and there is no room for what is counted.
 * @param {number} value @param {string} unit
 */
export function tickLabel(value, unit) {
  return quantity(value, unit.replace(/\{[^}]*\}/g, "")).replace(/(\.\d*?)0+(?= |$)/, "$1").replace(/\.(?= |$)/, "");
}
