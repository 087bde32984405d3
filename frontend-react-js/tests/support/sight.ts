/** What is in sight of the reader: a page without a layout cannot tell by itself. */

import { act } from "@testing-library/react";
import { vi } from "vitest";

/** Let a test say what comes into sight. */
export class Sight {
  readonly #observers = new Set<{ targets: Set<Element>; tell: () => void }>();

  constructor() {
    const observers = this.#observers;
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        readonly #own: { targets: Set<Element>; tell: () => void };

        constructor(callback: IntersectionObserverCallback) {
          const targets = new Set<Element>();
          const tell = () => {
            const entries = [...targets].map((target) => ({ target, isIntersecting: true }));
            callback(
              entries as unknown as IntersectionObserverEntry[],
              this as unknown as IntersectionObserver,
            );
          };
          this.#own = { targets, tell };
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

  /** How many elements are watched. */
  get count(): number {
    return [...this.#observers].reduce((sum, { targets }) => sum + targets.size, 0);
  }

  /** All that is watched comes into sight. */
  async come(): Promise<void> {
    await act(async () => {
      for (const { tell } of [...this.#observers]) {
        tell();
      }
      await vi.advanceTimersByTimeAsync(0);
    });
  }
}

/** Scroll the window to a height, as a reader does. */
export async function scrollTo(top: number): Promise<void> {
  await act(async () => {
    window.scrollTo(0, top);
    dispatchEvent(new Event("scroll"));
  });
}
