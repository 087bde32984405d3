/** Apply the events of the stream to the query cache. */

import { type Mutation, notifyManager, type Query, type QueryClient } from "@tanstack/react-query";
import type { ServerEvent } from "../api/events";
import { viewerUuid } from "../api/session";
import { follow } from "../api/stream";
import type {
  AccountChange,
  Crud,
  FollowChange,
  Gone,
  Hidden,
  Instance,
  LiveCounts,
  LivePreview,
  MessageRequest,
  Notification,
  Reset,
  SentMessage,
  ShortUser,
} from "../api/wire";
import { loadFurther } from "../components/Further";
import { observe } from "../telemetry/trace";
import { hasData, refresh, retryFailed } from "./client";
import {
  changeCounts,
  changeCrud,
  emptyFollowingHead,
  expireCrud,
  insertPosted,
  isHome,
  limitHead,
} from "./feedCache";
import { insertMessage, refetchAfterMessage } from "./messages";
import { expireNotifications, refetchAfterGone, refetchAfterNotification } from "./notifications";
import { showUser } from "./people";

/** The payload of each event, by its name. */
interface Payloads {
  crud: Crud;
  counts: LiveCounts;
  preview: LivePreview;
  gone: Gone;
  message: SentMessage;
  notification: Notification;
  user: ShortUser;
  follow: FollowChange;
  request: MessageRequest;
  hidden: Hidden;
  instance: Instance;
  account: AccountChange;
  reset: Reset;
}

/**
 * How to handle an event. `apply` changes cached data and may run several times for one event;
 * `refetch` runs once, and requests what only the server knows.
 */
interface Handler<T> {
  apply?(payload: T): void;
  refetch?(payload: T): unknown;
}

/** Milliseconds for which events are kept. No request takes longer. */
const KEEP_FOR = 20_000;
/** Milliseconds after a mutation by which the stream has sent the event about it. */
const SETTLE_TIME = 400;

/** The first parts of the keys of all queries that the stream keeps up to date. */
const LIVE: ReadonlySet<unknown> = new Set(["activities", "instance", "messages", "notifications"]);

/**
 * Keep the cache up to date with the stream until the returned function is called.
 *
 * A response that was under way when an event arrived may be older than the event, so the
 * events since its request are applied to it again. While a mutation on a crud is under way,
 * and until the stream has sent its event, the crud keeps its optimistic counts: counts that
 * arrive in between could be older than the mutation.
 */
export function followLive(client: QueryClient): () => void {
  const recent: { at: number; viewer: string | null | undefined; apply: () => void }[] = [];
  const startedAt = new WeakMap<Query, number>();
  const mutations = new Set<Mutation>();
  const isBeingChanged = (uuid: string) =>
    [...mutations].some(({ options }) => options.mutationKey?.[1] === uuid);

  const handlers: Readonly<Record<string, Handler<unknown>>> = {
    crud: {
      apply: (crud) => insertPosted(client, crud),
      refetch: () => limitHead(client),
    },
    counts: {
      apply: ({ uuid, ...counts }) => {
        if (!isBeingChanged(uuid)) {
          changeCounts(client, uuid, counts);
        }
      },
    },
    preview: {
      apply: ({ uuid, preview }) => changeCrud(client, uuid, (crud) => ({ ...crud, preview })),
    },
    gone: {
      apply: ({ uuid }) => {
        expireCrud(client, uuid);
        expireNotifications(client, uuid);
      },
      refetch: ({ uuid }) => {
        void loadFurther().then((loaded) => loaded.expireMessage(client, uuid));
        return refetchAfterGone(client);
      },
    },
    message: {
      apply: (message) => insertMessage(client, message),
      refetch: (message) => refetchAfterMessage(client, message),
    },
    notification: {
      refetch: () => refetchAfterNotification(client),
    },
    follow: {
      refetch: () => {
        emptyFollowingHead(client);
        return client.invalidateQueries({
          predicate: ({ queryKey: [first, second] }) =>
            /^(follow|profile)/.test(`${first === "activities" ? second : first}`),
        });
      },
    },
    user: {
      apply: (user) => showUser(client, user),
    },
    request: {
      refetch: () => client.invalidateQueries({ queryKey: ["messages"] }),
    },
    hidden: {
      refetch: (hidden) => loadFurther().then((loaded) => loaded.applyHidden(client, hidden)),
    },
    instance: {
      apply: (instance) => client.setQueryData(["instance"], instance),
    },
    account: {
      // The numbers first: to read the decisions sets one of them to zero.
      refetch: () =>
        client.invalidateQueries({ queryKey: ["member"] }).then(() => {
          void client.invalidateQueries({ queryKey: ["notices"] });
          void client.invalidateQueries({ queryKey: ["moderation", "cases"] });
        }),
    },
    reset: {
      refetch: () => refresh(client),
    },
  } satisfies { readonly [E in keyof Payloads]: Handler<Payloads[E]> };

  function onEvent({ type, data, traceparent }: ServerEvent): void {
    const handler = handlers[type];
    if (handler === undefined) {
      return; // a newer server sends events that this page does not know
    }
    const at = Date.now();
    const payload: unknown = JSON.parse(data);
    if (type === "crud" && traceparent !== undefined) {
      const { uuid } = payload as Crud;
      const receivedAt = performance.now();
      observe((to) => to.receiveCrud(uuid, traceparent, receivedAt));
    }
    const apply = () => handler.apply?.(payload);
    recent.splice(0, recent.findLastIndex((event) => event.at < at - KEEP_FOR) + 1);
    recent.push({ at, viewer: viewerUuid(), apply });
    notifyManager.batch(() => {
      apply();
      handler.refetch?.(payload);
    });
  }

  function applyAgain(since: number): void {
    const viewer = viewerUuid();
    notifyManager.batch(() => {
      for (const event of recent) {
        if (event.at >= since && event.viewer === viewer) {
          event.apply();
        }
      }
    });
  }

  /** Refetch what was loaded before the stream began: it may lack what happened in between. */
  function catchUp(): void {
    void client.invalidateQueries({
      predicate: (query) => LIVE.has(query.queryKey[0]) && !isHome(query) && hasData(query),
    });
  }

  const unsubscribeQueries = client.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || !LIVE.has(event.query.queryKey[0])) {
      return;
    }
    if (event.action.type === "fetch") {
      startedAt.set(event.query, Date.now());
    } else if (event.action.type === "success" && !event.action.manual) {
      applyAgain(startedAt.get(event.query) ?? 0);
    }
  });
  const unsubscribeMutations = client.getMutationCache().subscribe((event) => {
    if (event.type !== "updated") {
      return;
    }
    const { action, mutation } = event;
    if (action.type === "pending") {
      mutations.add(mutation);
    } else if (action.type === "success" || action.type === "error") {
      setTimeout(() => {
        mutations.delete(mutation);
        applyAgain(mutation.state.submittedAt);
      }, SETTLE_TIME);
    }
  });
  const closeStream = follow(onEvent, catchUp, () => retryFailed(client));
  return () => {
    closeStream();
    unsubscribeQueries();
    unsubscribeMutations();
  };
}
