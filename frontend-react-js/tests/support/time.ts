/** The time of the tests: it begins at `NOW` and goes only when it is told to. */

import { act } from "@testing-library/react";
import { vi } from "vitest";

export const NOW = Date.parse("2026-11-25T12:00:00Z");

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A moment as the server writes it, `after` milliseconds from the beginning of the test. */
export function at(after: number): string {
  return new Date(NOW + after).toISOString();
}

/** Let time go by, and whatever comes due meanwhile happen. */
export async function pass(milliseconds: number): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(milliseconds));
}

/** The same, up to a moment since the beginning of the test. */
export async function passUntil(after: number): Promise<void> {
  await pass(NOW + after - Date.now());
}

/** Let what is under way come to rest. */
export async function settle(): Promise<void> {
  await pass(0);
}
