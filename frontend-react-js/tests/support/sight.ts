/** Which elements are in view. The test environment has no layout, so the test decides. */

import { act } from "@testing-library/react";
import { vi } from "vitest";

/** Controls the intersection observers of the page. */
export class Sight {
  readonly #observers = new Set<{ targets: Set<Element>; notify: () => void }>();

  constructor() {
    const observers = this.#observers;
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        readonly #own: { targets: Set<Element>; notify: () => void };

        constructor(callback: IntersectionObserverCallback) {
          const targets = new Set<Element>();
          const notify = () => {
            const entries = [...targets].map((target) => ({ target, isIntersecting: true }));
            callback(
              entries as unknown as IntersectionObserverEntry[],
              this as unknown as IntersectionObserver,
            );
          };
          this.#own = { targets, notify };
          observers.add(this.#own);
        }

        observe(target: Element) {
          this.#own.targets.add(target);
        }

        disconnect() {
          observers.delete(this.#own);
        }
      },
    );
  }

  /** How many elements are observed. */
  get count(): number {
    return [...this.#observers].reduce((sum, { targets }) => sum + targets.size, 0);
  }

  /** Let all observed elements come into view. */
  async come(): Promise<void> {
    await act(async () => {
      for (const { notify } of [...this.#observers]) {
        notify();
      }
      await vi.advanceTimersByTimeAsync(0);
    });
  }
}

/** Scroll the window to a position. */
export async function scrollTo(top: number): Promise<void> {
  await act(async () => {
    window.scrollTo(0, top);
    dispatchEvent(new Event("scroll"));
  });
}
