/** Short messages that appear for a few seconds: successes and failures. */

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: "good" | "bad";
  /** The trace id to report, where the server is at fault. */
  readonly traceId: string | null;
  /** A link to what the notice is about. */
  readonly link: { readonly text: string; readonly to: string } | null;
}

/** Milliseconds until a notice disappears. */
const SHORT = 4_000;
/** The same for a failure, which must be read, and for a notice with a link, which may be followed. */
const LONG = 8_000;
const MAX_NOTICES = 3;

let notices: readonly Notice[] = [];
let count = 0;
const listeners = new Set<() => void>();

export function notify(
  text: string,
  kind: Notice["kind"] = "good",
  traceId: string | null = null,
  link: Notice["link"] = null,
): void {
  count += 1;
  const id = count;
  set(
    [...notices.filter((notice) => notice.text !== text), { id, text, kind, traceId, link }].slice(
      -MAX_NOTICES,
    ),
  );
  setTimeout(() => dismiss(id), kind === "bad" || link ? LONG : SHORT);
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
