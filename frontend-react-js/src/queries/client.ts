/** The query cache: its defaults, and what happens to it when the viewer changes. */

import {
  hashKey,
  type InfiniteData,
  InfiniteQueryObserver,
  MutationCache,
  type Query,
  QueryCache,
  QueryClient,
  type QueryKey,
} from "@tanstack/react-query";
import { ApiError } from "../api/http";
import { getSession, onSession, viewerUuid } from "../api/session";
import { t } from "../language";
import { notify } from "../notices";
import { describeProblem, hasCode } from "../text/errors";

const TRIES = 3;

/** The `meta` of a mutation that has no form to show its error in. */
export const NOTIFY_ON_ERROR = { notifyOnError: true };

/** Milliseconds until a request that failed is repeated, if nothing shows before that it may succeed. */
const RETRY_EVERY = 30_000;

export function createClient(): QueryClient {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const client = new QueryClient({
    queryCache: new QueryCache({
      onError: () => {
        if (timer === undefined) {
          timer = setTimeout(() => {
            timer = undefined;
            retryFailed(client);
          }, RETRY_EVERY);
        }
      },
    }),
    mutationCache: new MutationCache({
      onError: (error, _input, _context, mutation) => {
        if (mutation.meta === NOTIFY_ON_ERROR) {
          notifyError(error);
        }
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (failures, error) =>
          failures < TRIES - 1 &&
          error instanceof ApiError &&
          error.isServerFault &&
          !hasCode(error, "timed_out"), // the user has waited long enough
        networkMode: "always", // only a request can find out whether the server is reachable
      },
      mutations: { networkMode: "always" },
    },
  });
  return client;
}

/**
 * Whether a query has data. Only such a query may be cancelled, so that its response does not
 * undo an optimistic change; a cancelled first fetch would never be repeated.
 */
export function hasData(query: Query): boolean {
  return query.state.data !== undefined;
}

/** Drop everything that was fetched for one viewer before the page shows another's data. */
export function followSession(client: QueryClient): () => void {
  let viewer = viewerUuid();
  return onSession(() => {
    const next = viewerUuid();
    if (next === undefined) {
      return;
    }
    const session = getSession();
    if (session.phase === "out" && session.wasEnded) {
      notify(t.problem.signedOut, "bad");
    }
    if (viewer !== undefined && next !== viewer) {
      // After the components have re-rendered: a visitor must not request what only members may read.
      queueMicrotask(() => {
        client.getMutationCache().clear();
        client.removeQueries({ type: "inactive" });
        void client.resetQueries();
      });
    }
    viewer = next;
  });
}

/** Fetch everything on the page again; of a paged list, only the first page. */
export function refresh(client: QueryClient): void {
  client.setQueriesData<InfiniteData<unknown>>({ predicate: isPaged }, (found) =>
    found === undefined
      ? found
      : { pages: found.pages.slice(0, 1), pageParams: found.pageParams.slice(0, 1) },
  );
  void client.invalidateQueries();
}

/**
 * Repeat each request on the page that failed because of the server or the network; of a paged
 * list, the request for the page that is missing.
 */
export function retryFailed(client: QueryClient): void {
  const failed = client.getQueryCache().findAll({
    type: "active",
    fetchStatus: "idle",
    predicate: ({ state: { error } }) => error instanceof ApiError && error.isServerFault,
  });
  for (const { observers, state } of failed) {
    const [observer] = observers;
    const isNextPage = state.fetchMeta?.fetchMore?.direction === "forward";
    if (isNextPage && observer instanceof InfiniteQueryObserver) {
      void observer.fetchNextPage();
    } else {
      void observer?.refetch();
    }
  }
}

/** Milliseconds for which several reasons to refetch are combined into one request. */
const SOON = 200;

const SCHEDULED = new WeakMap<QueryClient, Map<string, Promise<void>>>();

/**
 * Fetch a query again soon, once for all callers in the meantime. Resolves when the data is
 * there.
 */
export function refetchSoon(
  client: QueryClient,
  queryKey: QueryKey,
  milliseconds = SOON,
): Promise<void> {
  const scheduled = SCHEDULED.get(client) ?? new Map<string, Promise<void>>();
  SCHEDULED.set(client, scheduled);
  const name = hashKey([queryKey, milliseconds]);
  const refetched =
    scheduled.get(name) ??
    new Promise<void>((resolve) => {
      setTimeout(() => {
        scheduled.delete(name);
        resolve(client.invalidateQueries({ queryKey }));
      }, milliseconds);
    });
  scheduled.set(name, refetched);
  return refetched;
}

/** Whether the data of a query with this key is on screen in a visible tab. */
export function isVisible(client: QueryClient, queryKey: QueryKey): boolean {
  const found = client.getQueryCache().findAll({ queryKey, type: "active" });
  return found.length > 0 && document.visibilityState === "visible";
}

function isPaged({ state: { data } }: Query): boolean {
  return typeof data === "object" && data !== null && "pages" in data && "pageParams" in data;
}

/** Show a notice about a failure that no form on the page shows. */
export function notifyError(error: unknown): void {
  if (hasCode(error, "generic_401") && getSession().phase === "out") {
    return; // a notice has said so, or the member signed out
  }
  const { sentences, traceId } = describeProblem(error);
  notify(sentences.join(" "), "bad", traceId);
}
