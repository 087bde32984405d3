/** Which elements are in view. The test environment has no layout, so the test decides. */

import { act } from "@testing-library/react";
import { vi } from "vitest";

/** The height of every element, in pixels. */
export const ROW_HEIGHT = 120;

/** Controls the intersection observers of the page. */
export class Sight {
  readonly #observers = new Set<{ targets: Set<Element>; notify: (isNear: boolean) => void }>();

  constructor() {
    const observers = this.#observers;
    vi.stubGlobal(
      "IntersectionObserver",
      class {
        readonly #own: { targets: Set<Element>; notify: (isNear: boolean) => void };

        constructor(callback: IntersectionObserverCallback) {
          const targets = new Set<Element>();
          const notify = (isIntersecting: boolean) => {
            const boundingClientRect = { height: ROW_HEIGHT };
            const entries = [...targets].map((target) => ({
              target,
              isIntersecting,
              boundingClientRect,
            }));
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

        unobserve(target: Element) {
          this.#own.targets.delete(target);
        }

        disconnect() {
          observers.delete(this.#own);
        }
      },
    );
  }

  /** How many elements that match the selector are observed. */
  count(selector: string): number {
    const targets = [...this.#observers].flatMap((observer) => [...observer.targets]);
    return targets.filter((target) => target.matches(selector)).length;
  }

  /** Let all observed elements come into view. */
  come(): Promise<void> {
    return this.#move(true);
  }

  /** Let all observed elements go out of view. */
  leave(): Promise<void> {
    return this.#move(false);
  }

  async #move(isNear: boolean): Promise<void> {
    await act(async () => {
      for (const { notify } of [...this.#observers]) {
        notify(isNear);
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
