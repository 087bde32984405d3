/** Times as text: age, time left, exact time. Arguments are in milliseconds. */

import { locale, onLanguage, t } from "../language";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

let formats = makeFormats();

onLanguage(() => {
  formats = makeFormats();
});

function makeFormats() {
  const dateFormat = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, options);
  return {
    exact: dateFormat({ dateStyle: "full", timeStyle: "medium" }),
    short: dateFormat({ dateStyle: "medium", timeStyle: "short" }),
    sameYear: dateFormat({ day: "numeric", month: "short" }),
    otherYear: dateFormat({ dateStyle: "medium" }),
    weekday: dateFormat({ weekday: "long" }),
    dayAndMonth: dateFormat({ day: "numeric", month: "long" }),
    timeOfDay: dateFormat({ timeStyle: "short" }),
    relative: new Intl.RelativeTimeFormat(locale, { numeric: "auto" }),
  };
}

/** "Wednesday, 25 November 2026 at 14:03:22", in the locale of the page. */
export function exactTime(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : formats.exact.format(date);
}

/** "25 Nov 2026, 14:03", in the locale of the page. */
export function shortTime(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : formats.short.format(date);
}

/** Age: "now", "42s", "5m", "3h", "6d"; the date after a week. */
export function timeSince(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  if (age < 5 * SECOND) {
    return t.time.now;
  }
  if (age < MINUTE) {
    return t.time.seconds(Math.floor(age / SECOND));
  }
  if (age < HOUR) {
    return t.time.minutes(Math.floor(age / MINUTE));
  }
  if (age < DAY) {
    return t.time.hours(Math.floor(age / HOUR));
  }
  return age < WEEK ? t.time.days(Math.floor(age / DAY)) : dateOf(iso, now);
}

/** Age in a sentence: "now", "42 s ago", "5 min ago", "6 days ago"; "on" and the date after a week. */
export function timeAgo(iso: string, now: number): string {
  const age = now - Date.parse(iso);
  if (age < 5 * SECOND) {
    return t.time.now;
  }
  if (age < MINUTE) {
    return t.time.secondsAgo(Math.floor(age / SECOND));
  }
  if (age < HOUR) {
    return t.time.minutesAgo(Math.floor(age / MINUTE));
  }
  if (age < DAY) {
    return t.time.hoursAgo(Math.floor(age / HOUR));
  }
  return age < WEEK ? t.time.daysAgo(Math.floor(age / DAY)) : t.time.on(dateOf(iso, now));
}

/** The date, with the year only if it is another one. */
function dateOf(iso: string, now: number): string {
  const date = new Date(iso);
  const isSameYear = date.getFullYear() === new Date(now).getFullYear();
  return (isSameYear ? formats.sameYear : formats.otherYear).format(date);
}

/** Time left: "29d 23h", "3h 12m", "4m 09s", "37s"; "0s" at the end. Rounds seconds up. */
export function timeLeft(iso: string, now: number): string {
  const left = Math.max(0, Math.ceil((Date.parse(iso) - now) / SECOND) * SECOND);
  if (left >= DAY) {
    return t.time.daysLeft(Math.floor(left / DAY), Math.floor((left % DAY) / HOUR));
  }
  if (left >= HOUR) {
    return t.time.hoursLeft(Math.floor(left / HOUR), Math.floor((left % HOUR) / MINUTE));
  }
  const seconds = (left % MINUTE) / SECOND;
  return left >= MINUTE
    ? t.time.minutesLeft(Math.floor(left / MINUTE), String(seconds).padStart(2, "0"))
    : t.time.secondsLeft(seconds);
}

/**
 * When something will be gone: "Gone today 14:20", "Gone tomorrow 14:20", "Gone Saturday 14:20"
 * within six days, "Gone 7 December 14:20" later, in the locale of the page.
 */
export function goneTime(end: number, now: number): string {
  const date = new Date(end);
  const days = Math.round((startOfDay(date) - startOfDay(new Date(now))) / DAY);
  const time = formats.timeOfDay.format(date);
  return days < 2
    ? t.time.goneSoon(formats.relative.format(days, "day"), time)
    : t.time.goneOn((days < 7 ? formats.weekday : formats.dayAndMonth).format(date), time);
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
