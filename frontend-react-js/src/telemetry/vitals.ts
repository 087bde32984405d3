/**
 * Measure the web vitals of a visit as web.dev defines them: LCP, CLS, INP and TTFB.
 *
 * They are reported once, when the page is hidden for the first time. The service rates them.
 */

import type { Attributes } from "./exporter";
import { hex } from "./trace";

type Name = "cls" | "inp" | "lcp" | "ttfb";

/** Milliseconds of a session window of layout shifts, and between two shifts of one. */
const WINDOW = 5000;
const GAP = 1000;
/** One of so many interactions is an outlier, which does not count. */
const OUTLIERS = 50;

interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
}

interface EventTiming extends PerformanceEventTiming {
  readonly interactionId?: number; // TypeScript 5.9 does not have it
}

/** Report each vital when the page is hidden. Stops with `signal`. */
export function watchVitals(
  signal: AbortSignal | undefined,
  report: (attributes: Attributes) => void,
): void {
  const [entry] = performance.getEntriesByType("navigation");
  const load = entry as PerformanceNavigationTiming | undefined;
  const interactions = new Map<number, number>();
  const takes: (() => void)[] = [];
  let lcp: number | undefined;
  let cls: number | undefined;
  let sum = 0;
  let [windowStart, lastShift] = [0, 0];

  function watch(type: string, take: (entry: PerformanceEntry) => void, options = {}): void {
    if (PerformanceObserver.supportedEntryTypes?.includes(type)) {
      const takeAll = (entries: PerformanceEntryList) => entries.forEach(take);
      const observer = new PerformanceObserver((list) => takeAll(list.getEntries()));
      observer.observe({ type, buffered: true, ...options });
      takes.push(() => takeAll(observer.takeRecords()));
      signal?.addEventListener("abort", () => observer.disconnect());
    }
  }

  watch("largest-contentful-paint", ({ startTime }) => {
    lcp = startTime;
  });
  watch("layout-shift", (shift) => {
    const { startTime, value, hadRecentInput } = shift as LayoutShift;
    cls ??= 0;
    if (!hadRecentInput) {
      const isSame = startTime - lastShift < GAP && startTime - windowStart < WINDOW;
      windowStart = isSame ? windowStart : startTime;
      lastShift = startTime;
      sum = isSame ? sum + value : value;
      cls = Math.max(cls, sum);
    }
  });
  const takeInteraction = (event: PerformanceEntry) => {
    const { interactionId, duration } = event as EventTiming;
    if (interactionId) {
      interactions.set(interactionId, Math.max(duration, interactions.get(interactionId) ?? 0));
    }
  };
  watch("event", takeInteraction, { durationThreshold: 40 });
  watch("first-input", takeInteraction); // which may be shorter

  function reportOne(name: Name, value: number | undefined): void {
    if (value !== undefined) {
      report({
        "browser.web_vital.name": name,
        "browser.web_vital.value": value,
        "browser.web_vital.id": hex(8),
        "browser.web_vital.navigation_type": (load?.type ?? "navigate").replace("_", "-"),
      });
    }
  }

  function onHidden(): void {
    if (document.visibilityState === "hidden") {
      document.removeEventListener("visibilitychange", onHidden);
      for (const take of takes) {
        take();
      }
      const longest = [...interactions.values()].sort((one, other) => other - one);
      reportOne("ttfb", load?.responseStart);
      reportOne("lcp", lcp);
      reportOne("cls", cls);
      reportOne("inp", longest[Math.floor(longest.length / OUTLIERS)]);
    }
  }
  document.addEventListener("visibilitychange", onHidden, { ...(signal && { signal }) });
}
