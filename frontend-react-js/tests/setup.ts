/** Setup of every test: clean state, no unexpected errors, fake time. */

import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterAll, afterEach, beforeEach, vi } from "vitest";
import { getSession, leave } from "../src/api/session";
import { loadFurther } from "../src/components/Further";
import { FAR } from "../src/components/nearness";
import { dismiss, getNotices } from "../src/notices";
import { serve, strays } from "./support/server";
import { NOW } from "./support/time";

// Testing Library looks for this name to detect fake timers.
Object.assign(globalThis, { jest: { advanceTimersByTime: vi.advanceTimersByTime } });

/** Milliseconds after which every call has ended, except an upload. */
const LONGEST_CALL = 15_000;

/** Errors that React, the router and the page logged. */
let errors: string[] = [];

await loadFurther(); // so that tests need not wait for them

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  errors = [];
  for (const level of ["error", "warn"] as const) {
    vi.spyOn(console, level).mockImplementation((...words: unknown[]) => {
      const text = words.map(String).join(" ");
      if (!/^The tag <%s> is unrecognized .* search$/s.test(text)) {
        errors.push(text); // a browser knows this tag
      }
    });
  }
  vi.spyOn(AbortSignal, "timeout").mockImplementation(abortedAfter);
  strays.length = 0;
  serve();
});

afterEach(async () => {
  cleanup();
  await vi.advanceTimersByTimeAsync(LONGEST_CALL); // lets unanswered calls time out
  if (getSession().phase !== "out") {
    leave();
  }
  for (const { id } of getNotices()) {
    dismiss(id);
  }
  FAR.clear();
  localStorage.clear();
  sessionStorage.clear();
  history.replaceState(null, "", "/");
  document.title = "";
  vi.useRealTimers();
  if (errors.length > 0) {
    throw new Error(`Errors in the console:\n${errors.join("\n")}`);
  }
  if (strays.length > 0) {
    throw new Error(`Unexpected requests:\n${strays.join("\n")}`);
  }
});

// Reset the state of the page's modules before the next file, which loads them with its globals.
afterAll(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** `AbortSignal.timeout` on the fake clock. */
function abortedAfter(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  const reason = new DOMException("The operation timed out.", "TimeoutError");
  setTimeout(() => controller.abort(reason), milliseconds);
  return controller.signal;
}
