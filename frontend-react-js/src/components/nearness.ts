/** Which rows of a long list are near the viewport. */

/** How far from the viewport a row counts as near: one more screen above and below. */
const MARGIN = "100% 0px";

/**
 * The heights of the rows that are far from the viewport, in pixels, by their names. They outlive
 * the page, so that it has the same height, and shows the same rows, when the viewer comes back.
 */
export const FAR = new Map<string, number>();

/** Observes the rows of one list. */
export class Nearness {
  readonly #listeners = new Map<Element, (entry: IntersectionObserverEntry) => void>();
  readonly #observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        this.#listeners.get(entry.target)?.(entry);
      }
    },
    { rootMargin: MARGIN },
  );

  /** Call `listener` when a row comes near or goes away, until the returned function is called. */
  observe(row: Element, listener: (entry: IntersectionObserverEntry) => void): () => void {
    this.#listeners.set(row, listener);
    this.#observer.observe(row);
    return () => {
      this.#listeners.delete(row);
      this.#observer.unobserve(row);
    };
  }
}
