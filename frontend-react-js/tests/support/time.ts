/** Fake time: it starts at `NOW` and advances only when a test says so. */

import { act } from "@testing-library/react";
import { vi } from "vitest";

export const NOW = Date.parse("2026-11-25T12:00:00Z");

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A time in the server's format, `after` milliseconds from the start of the test. */
export function at(after: number): string {
  return new Date(NOW + after).toISOString();
}

/** Advance the time, and run what becomes due. */
export async function pass(milliseconds: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(milliseconds));
}

/** Advance to a time since the start of the test. */
export async function passUntil(after: number): Promise<void> {
  await pass(NOW + after - Date.now());
}

/** Wait until pending work is done. */
export async function settle(): Promise<void> {
  await pass(0);
}
