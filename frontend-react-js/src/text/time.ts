/** Times as text: age, time left, exact time. Arguments are in milliseconds. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const sameYear = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long" });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const otherYear = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

/** "Wednesday, 25 November 2026 at 14:03:22", in the viewer's locale. */
export function exactTime(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : exact.format(date);
}

/** "25 Nov 2026, 14:03", in the viewer's locale. */
export function shortTime(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : short.format(date);
}

/** Age: "now", "42s", "5m", "3h", "6d"; the date after a week. */
export function timeSince(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  if (age < 5 * SECOND) {
    return "now";
  }
  if (age < MINUTE) {
    return `${Math.floor(age / SECOND)}s`;
  }
  if (age < HOUR) {
    return `${Math.floor(age / MINUTE)}m`;
  }
  if (age < DAY) {
    return `${Math.floor(age / HOUR)}h`;
  }
  if (age < 7 * DAY) {
    return `${Math.floor(age / DAY)}d`;
  }
  const date = new Date(iso);
  const isSameYear = date.getFullYear() === new Date(now).getFullYear();
  return (isSameYear ? sameYear : otherYear).format(date);
}

/** Age in a sentence: "now", "42 s ago", "5 min ago", "6 days ago"; "on" and the date after a week. */
export function timeAgo(iso: string, now: number): string {
  const words = timeSince(iso, now);
  if (words === "now") {
    return words;
  }
  const [, count, unit] = /^(\d+)([smhd])$/.exec(words) ?? [];
  if (count === undefined || unit === undefined) {
    return `on ${words}`;
  }
  return `${count} ${unit === "d" && count === "1" ? "day" : UNITS[unit]} ago`;
}

const UNITS: Record<string, string> = { s: "s", m: "min", h: "h", d: "days" };

/** Time left: "29d 23h", "3h 12m", "4m 09s", "37s"; "0s" at the end. Rounds seconds up. */
export function timeLeft(iso: string, now: number): string {
  const left = Math.max(0, Math.ceil((Date.parse(iso) - now) / SECOND) * SECOND);
  if (left >= DAY) {
    return `${Math.floor(left / DAY)}d ${Math.floor((left % DAY) / HOUR)}h`;
  }
  if (left >= HOUR) {
    return `${Math.floor(left / HOUR)}h ${Math.floor((left % HOUR) / MINUTE)}m`;
  }
  const seconds = (left % MINUTE) / SECOND;
  return left >= MINUTE
    ? `${Math.floor(left / MINUTE)}m ${String(seconds).padStart(2, "0")}s`
    : `${seconds}s`;
}

/**
 * When something ends, for a sentence: "today 14:20", "tomorrow 14:20", "Saturday 14:20" within
 * six days, "7 December 14:20" later, in the viewer's locale.
 */
export function endTime(end: number, now: number): string {
  const date = new Date(end);
  const days = Math.round((startOfDay(date) - startOfDay(new Date(now))) / DAY);
  const day =
    days < 2 ? relative.format(days, "day") : (days < 7 ? weekday : dayAndMonth).format(date);
  return `${day} ${timeOfDay.format(date)}`;
}

function startOfDay(date: Date): number {
  return new Date(date).setHours(0, 0, 0, 0);
}

/** The share of its life that is left, from 1 to 0. */
export function lifeLeft(createdAt: string, expiresAt: string, now: number): number {
  const end = Date.parse(expiresAt);
  const life = end - Date.parse(createdAt);
  return life <= 0 ? 0 : Math.min(1, Math.max(0, (end - now) / life));
}
