/** Short messages that come and go: what was done, and what could not be. */

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: "good" | "bad";
  /** The trace to look for, where a server's fault is told. */
  readonly traceId: string | null;
}

/** Milliseconds that a notice stays; failures stay longer, they have to be read. */
const STAYS = { good: 4_000, bad: 8_000 };
const MOST = 3;

let notices: readonly Notice[] = [];
let count = 0;
const listeners = new Set<() => void>();

export function notify(
  text: string,
  kind: Notice["kind"] = "good",
  traceId: string | null = null,
): void {
  count += 1;
  const id = count;
  set(
    [...notices.filter((notice) => notice.text !== text), { id, text, kind, traceId }].slice(-MOST),
  );
  setTimeout(() => dismiss(id), STAYS[kind]);
}

export function dismiss(id: number): void {
  set(notices.filter((notice) => notice.id !== id));
}

export function getNotices(): readonly Notice[] {
  return notices;
}

/** Call `listener` at every change until the returned function is called. */
export function onNotices(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function set(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) {
    listener();
  }
}
