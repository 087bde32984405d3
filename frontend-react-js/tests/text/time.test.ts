import { describe, expect, test } from "vitest";
import { locale } from "../../src/language";
import {
  exactTime,
  goneTime,
  lifeLeft,
  shortTime,
  timeAgo,
  timeLeft,
  timeSince,
} from "../../src/text/time";
import { at, DAY, HOUR, MINUTE, NOW, SECOND } from "../support/time";

describe("the time left", () => {
  test.each([
    [30 * DAY, "30d 0h"],
    [30 * DAY - SECOND, "29d 23h"],
    [DAY + 23 * HOUR + 59 * MINUTE, "1d 23h"],
    [DAY, "1d 0h"],
    [DAY - SECOND, "23h 59m"],
    [3 * HOUR + 12 * MINUTE + 59 * SECOND, "3h 12m"],
    [HOUR, "1h 0m"],
    [HOUR - SECOND, "59m 59s"],
    [4 * MINUTE + 9 * SECOND, "4m 09s"],
    [MINUTE, "1m 00s"],
    [MINUTE - SECOND, "59s"],
    [SECOND, "1s"],
    [0, "0s"],
    [-1, "0s"],
    [-DAY, "0s"],
  ])("of %i ms is %j", (left, words) => {
    expect(timeLeft(at(left), NOW)).toBe(words);
  });

  test.each([
    [MINUTE - 1, "1m 00s"],
    [SECOND - 1, "1s"],
    [1, "1s"],
    [HOUR - 1, "1h 0m"],
    [DAY - 1, "1d 0h"],
  ])("of %i ms rounds up: %j", (left, words) => {
    expect(timeLeft(at(left), NOW)).toBe(words);
  });

  test("never grows, and skips no second in its last hour", () => {
    const words: string[] = [];
    for (let left = HOUR + 2 * SECOND; left >= 0; left -= 250) {
      const next = timeLeft(at(left), NOW);
      if (next !== words.at(-1)) {
        words.push(next);
      }
    }
    expect(words.slice(0, 3)).toEqual(["1h 0m", "59m 59s", "59m 58s"]);
    expect(new Set(words).size).toBe(words.length);
    expect(words).toHaveLength(3601);
  });
});

describe("the end, as a day and a time", () => {
  // In the local time zone.
  const local = (day: number, hour: number) => new Date(2026, 10, 25 + day, hour, 20).getTime();
  const format = (time: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, options).format(time);
  const day = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

  test.each([
    [local(0, 14), day.format(0, "day")],
    [local(0, 23), day.format(0, "day")],
    [local(1, 0), day.format(1, "day")],
    [local(2, 0), format(local(2, 0), { weekday: "long" })],
    [local(6, 23), format(local(6, 23), { weekday: "long" })],
    [local(7, 0), format(local(7, 0), { day: "numeric", month: "long" })],
    [local(30, 13), format(local(30, 13), { day: "numeric", month: "long" })],
  ])("of %i is %j", (end, words) => {
    const time = format(end, { timeStyle: "short" });
    expect(goneTime(end, local(0, 13))).toBe(`Gone ${words} ${time}`);
  });
});

describe("the age", () => {
  test.each([
    [-DAY, "now"],
    [0, "now"],
    [5 * SECOND - 1, "now"],
    [5 * SECOND, "5s"],
    [MINUTE - 1, "59s"],
    [MINUTE, "1m"],
    [HOUR - 1, "59m"],
    [HOUR, "1h"],
    [DAY - 1, "23h"],
    [DAY, "1d"],
    [7 * DAY - 1, "6d"],
  ])("of %i ms is %j", (age, words) => {
    expect(timeSince(at(-age), NOW)).toBe(words);
  });

  // The locale and the time zone depend on where the test runs.
  test("beyond a week is a date, with the year only if it differs", () => {
    const day = (iso: string) => String(new Date(iso).getDate());
    const thisYear = "2026-11-16T12:00:00Z";
    expect(timeSince(thisYear, NOW)).toContain(day(thisYear));
    expect(timeSince(thisYear, NOW)).not.toContain("2026");
    const lastYear = "2025-11-16T12:00:00Z";
    expect(timeSince(lastYear, NOW)).toContain(day(lastYear));
    expect(timeSince(lastYear, NOW)).toContain("2025");
  });
});

describe("the age in a sentence", () => {
  test.each([
    [0, "now"],
    [5 * SECOND, "5 s ago"],
    [3 * MINUTE, "3 min ago"],
    [2 * HOUR, "2 h ago"],
    [DAY, "1 day ago"],
    [6 * DAY, "6 days ago"],
  ])("of %i ms is %j", (age, words) => {
    expect(timeAgo(at(-age), NOW)).toBe(words);
  });

  test("beyond a week has a date", () => {
    expect(timeAgo(at(-8 * DAY), NOW)).toBe(`on ${timeSince(at(-8 * DAY), NOW)}`);
  });
});

describe("the share of life left", () => {
  test.each([
    [-HOUR, 1],
    [0, 1],
    [15 * MINUTE, 0.75],
    [30 * MINUTE, 0.5],
    [HOUR, 0],
    [2 * HOUR, 0],
  ])("after %i ms of an hour is %d", (age, share) => {
    expect(lifeLeft(at(0), at(HOUR), NOW + age)).toBe(share);
  });

  test("of a life of zero length is zero", () => {
    expect(lifeLeft(at(0), at(0), NOW)).toBe(0);
    expect(lifeLeft(at(SECOND), at(0), NOW)).toBe(0);
  });
});

test.each([
  ["exact", exactTime],
  ["short", shortTime],
])("the %s time has the year, the day and the minute", (_, format) => {
  const iso = "2026-11-25T12:34:56Z";
  const date = new Date(iso);
  for (const part of [date.getFullYear(), date.getDate(), date.getMinutes()]) {
    expect(format(iso)).toContain(String(part));
  }
  expect(format("no time")).toBe("no time");
});
