/**
 * The tab's one event stream, open while the tab is visible.
 *
 *     off ──▶ live ◀──▶ lost
 *
 * It stays `live` while it reconnects, because the server then sends what was missed, from the
 * last event on. It becomes `lost` when reconnecting has failed for a while.
 */

import { startPosition } from "./early";
import { EventReader, type ServerEvent } from "./events";
import { ApiError, listen } from "./http";
import { onSession, viewerUuid } from "./session";

export type StreamState = "off" | "live" | "lost";

/** Milliseconds of silence after which a connection is dead. The server sends a byte every 15 s. */
const SILENCE = 40_000;
/** Milliseconds without a connection after which the stream counts as lost. */
const PATIENCE = 10_000;
/** Milliseconds after which a hidden tab closes its connection, because a browser allows few. */
const HIDDEN_FOR = 10_000;
/** Milliseconds until the first reconnect, unless the server sets others; and the maximum. */
const WAIT = 2_000;
const MAX_WAIT = 30_000;

const listeners = new Set<() => void>();
let state: StreamState = "off";

export function getStreamState(): StreamState {
  return state;
}

/** Call `listener` at every change until the returned function is called. */
export function onStreamState(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function setState(next: StreamState): void {
  if (state !== next) {
    state = next;
    for (const listener of listeners) {
      listener();
    }
  }
}

/**
 * Follow the stream as the current viewer until the returned function is called.
 *
 * @param onEvent is called with each event.
 * @param onStart is called when a stream starts that does not resume a previous one.
 * @param onReachable is called when the server can be reached again, or perhaps.
 * @param feed restricts it to what the member follows. Such a stream has no part in the state.
 */
export function follow(
  onEvent: (event: ServerEvent) => void,
  onStart: () => void,
  onReachable: () => void,
  feed?: "following",
): () => void {
  const show = feed === undefined ? setState : () => {};
  let isOver = false;
  let isAway = false;
  let viewer = viewerUuid();
  let connection = new AbortController();
  let lastEventId = "";
  let retry = WAIT;
  let tries = 0;
  let losing: Timer;
  let hiding: Timer;
  let wake = () => {};

  async function run(): Promise<void> {
    const position = feed === undefined ? startPosition() : undefined;
    if (position !== undefined) {
      lastEventId = await position;
    }
    while (!isOver) {
      if (isAway) {
        await pause();
        continue;
      }
      connection = new AbortController();
      const { signal } = connection;
      let minimum = 0;
      tries += 1;
      onDisconnected();
      try {
        await connect(connection);
      } catch (error) {
        minimum = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
      }
      if (!signal.aborted) {
        onDisconnected();
        const maximum = Math.min(MAX_WAIT, retry * 2 ** tries);
        await pause(Math.max(minimum, tries === 0 ? retry : Math.random() * maximum));
      }
    }
  }

  /** Read events until the connection ends, is aborted, or has been silent for too long. */
  async function connect(controller: AbortController): Promise<void> {
    const reader = new EventReader(lastEventId);
    const startTimer = () => setTimeout(() => controller.abort(), SILENCE);
    let silence = startTimer();
    try {
      for await (const part of listen(lastEventId, controller.signal, feed)) {
        if (controller.signal.aborted) {
          return; // the data under way is for the previous viewer
        }
        clearTimeout(silence);
        silence = startTimer();
        const isNew = lastEventId === "";
        const events = reader.push(part);
        lastEventId = reader.lastEventId;
        retry = reader.retry ?? retry;
        if (tries > 0) {
          onReachable();
        }
        tries = 0;
        onConnected();
        if (isNew && lastEventId !== "") {
          onStart();
        }
        for (const event of events) {
          try {
            onEvent(event);
          } catch (error) {
            reportError(error); // one bad event must not stop the others
          }
        }
      }
    } finally {
      clearTimeout(silence);
    }
  }

  function onDisconnected(): void {
    losing ??= setTimeout(() => show("lost"), PATIENCE);
  }

  function onConnected(): void {
    clearTimeout(losing);
    losing = undefined;
    show("live");
  }

  /** Wait until `wake` is called, or for at most this long. */
  function pause(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function reconnect(): void {
    connection.abort();
    wake();
  }

  function onOnline(): void {
    reconnect(); // a connection of the previous network is dead
    onReachable();
  }

  function onVisibility(): void {
    clearTimeout(hiding);
    if (document.visibilityState === "hidden") {
      hiding = setTimeout(() => {
        isAway = true;
        reconnect();
        onConnected(); // a hidden tab is not out of date
      }, HIDDEN_FOR);
    } else {
      isAway = false;
      wake();
    }
  }

  const unfollow = onSession(() => {
    const next = viewerUuid();
    if (next === undefined || next === viewer) {
      return;
    }
    // A connection that only waited for the session to be restored can stay.
    const isAnother = viewer !== undefined;
    viewer = next;
    if (isAnother) {
      reconnect();
    } else {
      wake();
    }
  });
  addEventListener("online", onOnline);
  document.addEventListener("visibilitychange", onVisibility);
  show("live");
  onVisibility();
  void run();

  return () => {
    isOver = true;
    reconnect();
    unfollow();
    removeEventListener("online", onOnline);
    document.removeEventListener("visibilitychange", onVisibility);
    clearTimeout(hiding);
    clearTimeout(losing);
    show("off");
  };
}

type Timer = ReturnType<typeof setTimeout> | undefined;
