import { beforeEach, describe, expect, test, vi } from "vitest";
import type * as Clock from "../src/clock";
import { MINUTE, NOW, pass, SECOND } from "./support/time";

let clock: typeof Clock;

beforeEach(async () => {
  vi.resetModules();
  clock = await import("../src/clock");
});

/** A response of a server whose clock is `ahead`, after a round trip of two parts (ms). */
function answer(ahead: number, there = 0, back = 0): void {
  const sentAt = Date.now();
  const date = new Date(sentAt + there + ahead).toUTCString(); // cuts off the fraction
  clock.observeDate(date, sentAt, sentAt + there + back);
}

function ahead(): number {
  return clock.serverNow() - Date.now();
}

describe("the server's time", () => {
  test("is the local time before the first response", () => {
    expect(clock.serverNow()).toBe(NOW);
  });

  test("is the local time if that is correct", async () => {
    for (let time = 0; time < 20 * SECOND; time += 370) {
      answer(0, 40, 160);
      expect(ahead()).toBe(0);
      await pass(370);
    }
  });

  test.each([
    ["slow", 10 * MINUTE],
    ["fast", -10 * MINUTE],
    ["a little slow", 3 * SECOND],
    ["a little fast", -3 * SECOND],
  ])("is known within a second if the local clock is %s", async (_, wrong) => {
    await pass(637);
    answer(wrong, 30, 30);
    expect(Math.abs(ahead() - wrong)).toBeLessThanOrEqual(SECOND);
  });

  test.each([10 * MINUTE, -10 * MINUTE])(
    "gets more precise with each response: %i",
    async (wrong) => {
      for (let time = 0; time < 30 * SECOND; time += 731) {
        answer(wrong, 10, 10);
        await pass(731);
      }
      expect(Math.abs(ahead() - wrong)).toBeLessThan(100);
    },
  );

  test("is not changed by slow responses", async () => {
    answer(0);
    answer(0, 9 * SECOND, 0);
    answer(0, 0, 9 * SECOND);
    answer(0, 5 * SECOND, 5 * SECOND);
    expect(ahead()).toBe(0);
    answer(10 * MINUTE);
    const known = ahead();
    answer(10 * MINUTE, 9 * SECOND, 0);
    answer(10 * MINUTE, 0, 9 * SECOND);
    expect(ahead()).toBe(known);
  });

  test("recovers when the local clock is corrected", () => {
    answer(10 * MINUTE);
    answer(0);
    expect(Math.abs(ahead())).toBeLessThanOrEqual(SECOND);
  });

  test.each([null, "", "yesterday"])("is not taken from %j", (date) => {
    clock.observeDate(date, NOW, NOW);
    expect(ahead()).toBe(0);
  });
});

describe("the tick", () => {
  test("comes every second, to all listeners, with the same time", async () => {
    const times: number[][] = [[], []];
    const stops = times.map((list) => clock.onTick(() => list.push(clock.tickedNow())));
    await pass(3 * SECOND);
    const expected = [1, 2, 3].map((seconds) => NOW + seconds * SECOND);
    expect(times).toEqual([expected, expected]);
    await pass(400);
    expect(clock.tickedNow()).toBe(NOW + 3 * SECOND);
    for (const stop of stops) {
      stop();
    }
  });

  test("is the server's time", async () => {
    answer(10 * MINUTE);
    const stop = clock.onTick(() => undefined);
    expect(clock.tickedNow()).toBe(NOW + 10 * MINUTE);
    await pass(SECOND);
    expect(clock.tickedNow()).toBe(NOW + 10 * MINUTE + SECOND);
    stop();
  });

  test("stops without listeners", async () => {
    const listener = vi.fn();
    const other = vi.fn();
    expect(vi.getTimerCount()).toBe(0);
    const stop = clock.onTick(listener);
    const stopOther = clock.onTick(other);
    expect(vi.getTimerCount()).toBe(1);
    stop();
    expect(vi.getTimerCount()).toBe(1);
    stopOther();
    expect(vi.getTimerCount()).toBe(0);
    await pass(MINUTE);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(listener).not.toHaveBeenCalled();
    expect(other).not.toHaveBeenCalled();
    expect(clock.tickedNow()).toBe(NOW + MINUTE);
  });

  test("starts again with the next listener", async () => {
    clock.onTick(() => undefined)();
    await pass(MINUTE + 250);
    const listener = vi.fn();
    const stop = clock.onTick(listener);
    expect(clock.tickedNow()).toBe(NOW + MINUTE + 250);
    await pass(SECOND);
    expect(listener).toHaveBeenCalledOnce();
    stop();
  });

  test("comes at once when the page becomes visible again", () => {
    const stop = clock.onTick(() => undefined);
    vi.setSystemTime(NOW + 5 * MINUTE); // the timers of the page were suspended
    expect(clock.tickedNow()).toBe(NOW);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(clock.tickedNow()).toBe(NOW + 5 * MINUTE);
    stop();
  });
});
