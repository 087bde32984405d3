/** The cache of what the server said, and what becomes of it when somebody signs in or out. */

import {
  hashKey,
  type InfiniteData,
  MutationCache,
  type Query,
  QueryClient,
  type QueryKey,
} from "@tanstack/react-query";
import { ApiError } from "../api/http";
import { getSession, onSession, viewerUuid } from "../api/session";
import { notify } from "../notices";
import { describeProblem, hasCode } from "../text/errors";

const TRIES = 3;

/** The `meta` of a mutation whose failure has no form beside it to be shown in. */
export const TOLD = { isTold: true };

export function createClient(): QueryClient {
  return new QueryClient({
    mutationCache: new MutationCache({
      onError: (error, _input, _context, mutation) => {
        if (mutation.meta === TOLD) {
          tell(error);
        }
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (failures, error) =>
          failures < TRIES - 1 &&
          error instanceof ApiError &&
          error.isServers &&
          !hasCode(error, "timed_out"), // it was waited for long enough
        networkMode: "always", // whether anything can be reached is for the request to find out
      },
      mutations: { networkMode: "always" },
    },
  });
}

/**
 * Whether a query has something on the screen. Only then may its next answer be cancelled,
 * so that it does not undo what is shown meanwhile; its first answer would never come again.
 */
export function isShown(query: Query): boolean {
  return query.state.data !== undefined;
}

/** Forget what was shown to one person before another looks at the page. */
export function followSession(client: QueryClient): () => void {
  let viewer = viewerUuid();
  return onSession(() => {
    const next = viewerUuid();
    if (next === undefined) {
      return;
    }
    const session = getSession();
    if (session.phase === "out" && session.wasEnded) {
      notify("You are signed out: this session was ended.", "bad");
    }
    if (viewer !== undefined && next !== viewer) {
      // Once the components know: a visitor must not ask for what only members may.
      queueMicrotask(() => {
        client.getMutationCache().clear();
        client.removeQueries({ type: "inactive" });
        void client.resetQueries();
      });
    }
    viewer = next;
  });
}

/** Ask for everything on the page anew; of what was paged, for the first part. */
export function refresh(client: QueryClient): void {
  client.setQueriesData<InfiniteData<unknown>>({ predicate: isPaged }, (found) =>
    found === undefined
      ? found
      : { pages: found.pages.slice(0, 1), pageParams: found.pageParams.slice(0, 1) },
  );
  void client.invalidateQueries();
}

/** Milliseconds within which several reasons to ask are one. */
const SOON = 200;

const WAITING = new WeakMap<QueryClient, Map<string, Promise<void>>>();

/** Ask for something anew, once for all who want it meanwhile; until it is there. */
export function askSoon(
  client: QueryClient,
  queryKey: QueryKey,
  milliseconds = SOON,
): Promise<void> {
  const waiting = WAITING.get(client) ?? new Map<string, Promise<void>>();
  WAITING.set(client, waiting);
  const name = hashKey([queryKey, milliseconds]);
  const answer =
    waiting.get(name) ??
    new Promise<void>((resolve) => {
      setTimeout(() => {
        waiting.delete(name);
        resolve(client.invalidateQueries({ queryKey }));
      }, milliseconds);
    });
  waiting.set(name, answer);
  return answer;
}

/** Whether what a query has is on the screen before somebody's eyes. */
export function isLookedAt(client: QueryClient, queryKey: QueryKey): boolean {
  const query = client.getQueryCache().find({ queryKey });
  return query?.isActive() === true && document.visibilityState === "visible";
}

function isPaged({ state: { data } }: Query): boolean {
  return typeof data === "object" && data !== null && "pages" in data && "pageParams" in data;
}

/** Say what failed where nothing else on the page does. */
export function tell(error: unknown): void {
  if (hasCode(error, "generic_401") && getSession().phase === "out") {
    return; // that the session is over was said, or is what the member wanted
  }
  const { sentences, traceId } = describeProblem(error);
  notify(sentences.join(" "), "bad", traceId);
}
