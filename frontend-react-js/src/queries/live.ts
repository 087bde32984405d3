/** What the stream tells, put where it is shown. */

import { type Mutation, notifyManager, type Query, type QueryClient } from "@tanstack/react-query";
import type { ServerEvent } from "../api/events";
import { viewerUuid } from "../api/session";
import { follow } from "../api/stream";
import type { Crud, Gone, LiveCounts, Notification, Reset, SentMessage } from "../api/wire";
import { changeCounts, isHome, limitWaiting, takeCrud, takeGone } from "./activities";
import { isShown, refresh } from "./client";
import { askAfterMessage, takeMessage } from "./messages";
import {
  askAfterGone,
  askAfterNotification,
  takeGoneFromNotifications,
  takeNotification,
} from "./notifications";

/** The events by their names, and what is in each. */
interface Told {
  crud: Crud;
  counts: LiveCounts;
  gone: Gone;
  message: SentMessage;
  notification: Notification;
  reset: Reset;
}

/**
 * What becomes of an event. `take` puts it into what is cached, and may do so any number of
 * times; `ask` asks for what only the server can tell then, once.
 */
interface Heeding<T> {
  take?(told: T): void;
  ask?(told: T): unknown;
}

/** Milliseconds for which events are kept: no answer takes longer. */
const KEPT = 20_000;
/** Milliseconds after an answer by which the stream has told what was done by it. */
const SETTLES = 400;

/** What the stream tells of, by the first part of its key. */
const LIVE: ReadonlySet<unknown> = new Set(["activities", "messages", "notifications"]);

/**
 * Keep what is cached as it is on the server, until the returned function is called.
 *
 * An answer that was on its way when something was told may be older than that, so what was
 * told meanwhile is put into it once more. While an act of the member's own on a crud is on
 * its way, and until it was told itself, its counts stay as they are shown: what is told
 * then may be from before it.
 */
export function followLive(client: QueryClient): () => void {
  const told: { at: number; viewer: string | null | undefined; take: () => void }[] = [];
  const begun = new WeakMap<Query, number>();
  const acts = new Set<Mutation>();
  const isActedOn = (uuid: string) =>
    [...acts].some(({ options }) => options.mutationKey?.[1] === uuid);

  const heedings: Readonly<Record<string, Heeding<unknown>>> = {
    crud: {
      take: (crud) => takeCrud(client, crud),
      ask: () => limitWaiting(client),
    },
    counts: {
      take: ({ uuid, ...counts }) => {
        if (!isActedOn(uuid)) {
          changeCounts(client, uuid, counts);
        }
      },
    },
    gone: {
      take: ({ uuid }) => {
        takeGone(client, uuid);
        takeGoneFromNotifications(client, uuid);
      },
      ask: () => askAfterGone(client),
    },
    message: {
      take: (message) => takeMessage(client, message),
      ask: (message) => askAfterMessage(client, message),
    },
    notification: {
      take: (note) => takeNotification(client, note),
      ask: () => askAfterNotification(client),
    },
    reset: {
      ask: () => refresh(client),
    },
  } satisfies { readonly [E in keyof Told]: Heeding<Told[E]> };

  function heed({ type, data }: ServerEvent): void {
    const heeding = heedings[type];
    if (heeding === undefined) {
      return; // the server is newer than this page
    }
    const at = Date.now();
    const found: unknown = JSON.parse(data);
    const take = () => heeding.take?.(found);
    told.splice(0, told.findLastIndex((one) => one.at < at - KEPT) + 1);
    told.push({ at, viewer: viewerUuid(), take });
    notifyManager.batch(() => {
      take();
      heeding.ask?.(found);
    });
  }

  function takeAgain(since: number): void {
    const viewer = viewerUuid();
    notifyManager.batch(() => {
      for (const one of told) {
        if (one.at >= since && one.viewer === viewer) {
          one.take();
        }
      }
    });
  }

  /** What was there before the stream began may lack what happened in between. */
  function catchUp(): void {
    void client.invalidateQueries({
      predicate: (query) => LIVE.has(query.queryKey[0]) && !isHome(query) && isShown(query),
    });
  }

  const leaveQueries = client.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || !LIVE.has(event.query.queryKey[0])) {
      return;
    }
    if (event.action.type === "fetch") {
      begun.set(event.query, Date.now());
    } else if (event.action.type === "success" && !event.action.manual) {
      takeAgain(begun.get(event.query) ?? 0);
    }
  });
  const leaveMutations = client.getMutationCache().subscribe((event) => {
    if (event.type !== "updated") {
      return;
    }
    const { action, mutation } = event;
    if (action.type === "pending") {
      acts.add(mutation);
    } else if (action.type === "success" || action.type === "error") {
      setTimeout(() => {
        acts.delete(mutation);
        takeAgain(mutation.state.submittedAt);
      }, SETTLES);
    }
  });
  const leaveStream = follow(heed, catchUp);
  return () => {
    leaveStream();
    leaveQueries();
    leaveMutations();
  };
}
