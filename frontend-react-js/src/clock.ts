/**
 * The server's time, and one tick a second for everything that counts down.
 *
 * Expiry is decided by the server's clock, and a visitor's may be wrong by minutes. Each
 * answer's `Date` (whole seconds) bounds the difference; the clock moves only as far as the
 * bounds demand, so where the visitor's clock is right it is taken as it is.
 */

let offset = 0;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** The server's time now, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** Learn from an answer's `Date` header. Times are this machine's, in milliseconds. */
export function observeDate(date: string | null, sentAt: number, receivedAt: number): void {
  const second = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(second)) {
    return;
  }
  const least = second - receivedAt;
  const most = second + 1000 - sentAt;
  offset = Math.min(Math.max(offset, least), most);
}

/** The time of the last tick: the same for all who read it, so that they agree. */
export function tickedNow(): number {
  return timer === undefined ? serverNow() : now;
}

/** Call `listener` each second until the returned function is called. */
export function onTick(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    now = serverNow();
    timer = setInterval(tick, 1000);
    document.addEventListener("visibilitychange", tick);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
      document.removeEventListener("visibilitychange", tick);
    }
  };
}

function tick(): void {
  now = serverNow();
  for (const listener of listeners) {
    listener();
  }
}
