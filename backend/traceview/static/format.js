// Numbers with their units, and the ticks of axes.

import { duration } from "./dom.js";

const BYTES = ["B", "kB", "MB", "GB", "TB"];
/** @type {Record<string, number>} */
const MS_PER_UNIT = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
const STEPS_S = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];

/**
 * Format a number with its UCUM unit.
 * @param {number} value @param {string} unit
 */
export function quantity(value, unit) {
  if (unit in MS_PER_UNIT) return value < 0 ? `−${duration(-value * MS_PER_UNIT[unit])}` : duration(value * MS_PER_UNIT[unit]);
  if (unit === "By") return bytes(value);
  const noun = unit === "1" ? "" : unit.replace(/[{}]/g, "");
  if (!noun) return number(value);
  return noun.startsWith("/") || noun === "%" ? `${number(value)}${noun}` : `${number(value)} ${noun}`;
}

/** @param {number} value */
export function number(value) {
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  return size >= 0.001 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** @param {number} value */
function bytes(value) {
  const power = Math.min(BYTES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value))) / 3)));
  return `${number(value / 1000 ** power)} ${BYTES[power]}`;
}

/**
 * Return round values from 0 to at least the maximum.
 * @param {number} max @param {string} unit @param {boolean} isWhole whether all values are whole numbers
 * @param {number} [count] about how many
 */
export function valueTicks(max, unit, isWhole, count = 4) {
  const top = max > 0 ? max : 1;
  // Whole numbers of seconds, minutes and hours are also round ones of durations.
  const step = unit === "ms" && top >= 60_000 ? 1000 * niceSeconds(top / 1000 / count) : niceDecimal(isWhole ? Math.max(1, top / count) : top / count);
  const ticks = [];
  for (let tick = 0; tick < top + step * 0.999; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

/** @param {number} wanted */
function niceDecimal(wanted) {
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * ([1, 2, 5, 10].find((one) => one * power >= wanted * 0.999) ?? 10);
}

/** @param {number} wanted */
function niceSeconds(wanted) {
  return STEPS_S.find((one) => one >= wanted) ?? 604_800 * Math.ceil(wanted / 604_800);
}

/**
 * Return times at round minutes, hours or days of the local clock, with their labels.
 * @param {number} fromMs @param {number} toMs @param {number} count at most about how many
 */
export function timeTicks(fromMs, toMs, count) {
  const step = 1000 * niceSeconds((toMs - fromMs) / 1000 / count);
  const zone = new Date(fromMs).getTimezoneOffset() * 60_000;
  const ticks = [];
  for (let at = Math.ceil((fromMs - zone) / step) * step + zone; at <= toMs; at += step) ticks.push({ at, label: timeLabel(at, step) });
  return ticks;
}

/** @param {number} ms @param {number} [stepMs] the distance of times, which decides how exact the label is */
export function timeLabel(ms, stepMs = 1000) {
  const date = new Date(ms);
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const day = `${date.toLocaleString("en", { month: "short" })} ${date.getDate()}`;
  if (stepMs >= 86_400_000) return day;
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (stepMs >= 60_000) return minutes === "00:00" ? day : minutes;
  const seconds = `${minutes}:${two(date.getSeconds())}`;
  return stepMs >= 1000 ? seconds : `${seconds}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/**
 * Format a range of times; the day is given if it is not today.
 * @param {number} fromMs @param {number} toMs
 */
export function timeSpan(fromMs, toMs) {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms));
  const isToday = from.toDateString() === new Date().toDateString();
  const isOneDay = from.toDateString() === to.toDateString();
  const precision = toMs - fromMs < 10_000 ? 1 : 1000;
  const [start, end] = [timeLabel(fromMs, precision), timeLabel(toMs, precision)];
  const day = (/** @type {Date} */ date) => date.toLocaleDateString("en", { day: "numeric", month: "short" });
  return `${isToday && isOneDay ? "" : `${day(from)}, `}${start} – ${isOneDay ? "" : `${day(to)}, `}${end}`;
}
