/** The cache of what the server said, and what becomes of it when somebody signs in or out. */

import { type InfiniteData, MutationCache, type Query, QueryClient } from "@tanstack/react-query";
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
