/**
 * The tab's one stream of what happens, held open for as long as somebody may look at it.
 *
 *     off ──▶ live ◀──▶ lost
 *
 * It is `live` also while it is begun anew: what happens meanwhile is told afterwards, from
 * the last event on. It is `lost` when that has not succeeded for a while.
 */

import { EventReader, type ServerEvent } from "./events";
import { ApiError, listen } from "./http";
import { onSession, viewerUuid } from "./session";

export type Standing = "off" | "live" | "lost";

/** Milliseconds without a byte after which a connection is dead; the server sends some each 15 s. */
const SILENCE = 40_000;
/** Milliseconds without a connection until that is told. */
const PATIENCE = 10_000;
/** Milliseconds for which a hidden tab keeps its connection, of which a browser has few. */
const HIDDEN_FOR = 10_000;
/** Milliseconds until the first new try, where the server said nothing else; and the most. */
const WAIT = 2_000;
const LONGEST_WAIT = 30_000;

const listeners = new Set<() => void>();
let standing: Standing = "off";

export function getStanding(): Standing {
  return standing;
}

/** Call `listener` at every change until the returned function is called. */
export function onStanding(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function stand(next: Standing): void {
  if (standing !== next) {
    standing = next;
    for (const listener of listeners) {
      listener();
    }
  }
}

/**
 * Follow the stream, as whoever looks at the page, until the returned function is called.
 *
 * @param heed is called with each event.
 * @param begin is called when a stream begins that does not go on where another ended.
 */
export function follow(heed: (event: ServerEvent) => void, begin: () => void): () => void {
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
    while (!isOver) {
      if (isAway) {
        await pause();
        continue;
      }
      connection = new AbortController();
      const { signal } = connection;
      let least = 0;
      tries += 1;
      miss();
      try {
        await connect(connection);
      } catch (error) {
        least = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
      }
      if (!signal.aborted) {
        miss();
        const most = Math.min(LONGEST_WAIT, retry * 2 ** tries);
        await pause(Math.max(least, tries === 0 ? retry : Math.random() * most));
      }
    }
  }

  /** Listen until the connection ends, is ended, or has been silent for too long. */
  async function connect(controller: AbortController): Promise<void> {
    const reader = new EventReader(lastEventId);
    const giveUp = () => setTimeout(() => controller.abort(), SILENCE);
    let silence = giveUp();
    try {
      for await (const part of listen(lastEventId, controller.signal)) {
        if (controller.signal.aborted) {
          return; // what is on its way is for who looked at the page before
        }
        clearTimeout(silence);
        silence = giveUp();
        const isNew = lastEventId === "";
        const events = reader.push(part);
        lastEventId = reader.lastEventId;
        retry = reader.retry ?? retry;
        tries = 0;
        find();
        if (isNew && lastEventId !== "") {
          begin();
        }
        for (const event of events) {
          try {
            heed(event);
          } catch (error) {
            reportError(error); // one that makes no sense does not end the others
          }
        }
      }
    } finally {
      clearTimeout(silence);
    }
  }

  function miss(): void {
    losing ??= setTimeout(() => stand("lost"), PATIENCE);
  }

  function find(): void {
    clearTimeout(losing);
    losing = undefined;
    stand("live");
  }

  /** Wait until there is a reason to try at once, or at most so long. */
  function pause(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function again(): void {
    connection.abort();
    wake();
  }

  function onVisibility(): void {
    clearTimeout(hiding);
    if (document.visibilityState === "hidden") {
      hiding = setTimeout(() => {
        isAway = true;
        again();
        find(); // nobody waits for anything
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
    // The connection that waited to know who it is may go on.
    const isAnother = viewer !== undefined;
    viewer = next;
    if (isAnother) {
      again();
    } else {
      wake();
    }
  });
  addEventListener("online", again); // what was connected by another network is not any more
  document.addEventListener("visibilitychange", onVisibility);
  stand("live");
  onVisibility();
  void run();

  return () => {
    isOver = true;
    again();
    unfollow();
    removeEventListener("online", again);
    document.removeEventListener("visibilitychange", onVisibility);
    clearTimeout(hiding);
    clearTimeout(losing);
    stand("off");
  };
}

type Timer = ReturnType<typeof setTimeout> | undefined;
