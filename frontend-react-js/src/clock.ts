/**
 * The server's time, and one tick per second for everything that counts down.
 *
 * The server's clock decides expiry, and a visitor's clock may be minutes off. The `Date` header
 * of each response (whole seconds) gives bounds for the difference. The offset changes only as
 * far as the bounds require, so a correct local clock is used unchanged.
 */

let offset = 0;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

/** The server's time now, in milliseconds since 1970. */
export function serverNow(): number {
  return Date.now() + offset;
}

/** Update the offset from a response's `Date` header. Times are local, in milliseconds. */
export function observeDate(date: string | null, sentAt: number, receivedAt: number): void {
  const second = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(second)) {
    return;
  }
  const least = second - receivedAt;
  const most = second + 1000 - sentAt;
  offset = Math.min(Math.max(offset, least), most);
}

/** The time of the last tick, which is the same for all components. */
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
