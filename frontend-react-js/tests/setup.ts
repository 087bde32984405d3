/** What holds in every test: nothing is left over, nothing is wrong unnoticed, time waits. */

import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterAll, afterEach, beforeEach, vi } from "vitest";
import { getSession, leave } from "../src/api/session";
import { dismiss, getNotices } from "../src/notices";
import { serve, strays } from "./support/server";
import { NOW } from "./support/time";

// Testing Library asks for this name when it looks for timers that do not go by themselves.
Object.assign(globalThis, { jest: { advanceTimersByTime: vi.advanceTimersByTime } });

/** Milliseconds after which every call is over, but an upload. */
const LONGEST_CALL = 15_000;

/** What React, the router and the page complained about. */
let complaints: string[] = [];

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  complaints = [];
  for (const level of ["error", "warn"] as const) {
    vi.spyOn(console, level).mockImplementation((...words: unknown[]) => {
      const told = words.map(String).join(" ");
      if (!/^The tag <%s> is unrecognized .* search$/s.test(told)) {
        complaints.push(told); // of what a browser would know as well
      }
    });
  }
  vi.spyOn(AbortSignal, "timeout").mockImplementation(abortedAfter);
  strays.length = 0;
  serve();
});

afterEach(async () => {
  cleanup();
  await vi.advanceTimersByTimeAsync(LONGEST_CALL); // what still waits for an answer gives up
  if (getSession().phase !== "out") {
    leave();
  }
  for (const { id } of getNotices()) {
    dismiss(id);
  }
  localStorage.clear();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  document.title = "";
  vi.useRealTimers();
  if (complaints.length > 0) {
    throw new Error(`The console was told:\n${complaints.join("\n")}`);
  }
  if (strays.length > 0) {
    throw new Error(`Nothing was to be asked of the server but:\n${strays.join("\n")}`);
  }
});

// What the page's modules remember is not for the next file.
afterAll(() => {
  vi.resetModules();
});

/** `AbortSignal.timeout` by the time of the tests. */
function abortedAfter(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const reason = new DOMException("The operation timed out.", "TimeoutError");
  setTimeout(() => controller.abort(reason), milliseconds);
  return controller.signal;
}
