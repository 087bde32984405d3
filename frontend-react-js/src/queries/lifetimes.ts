/** The lifetimes of conversations, and messages that expire. */

import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect } from "react";
import { call, type Page } from "../api/http";
import type { Message, MessageLifetime, MessageTtl } from "../api/wire";
import { useIsPast } from "../components/Clock";
import { NOTIFY_ON_ERROR } from "./client";

type Conversation = InfiniteData<Page<readonly Message[]>>;

const PATH = "/api/messages/@{handle}/lifetime";

const lifetimeKey = (handle: string) => ["messages", "lifetime", handle.toLowerCase()];

/**
 * The lifetime of the next messages between the member and another user.
 *
 * @param line the uuid of the latest line that says who set it. A new one is a reason to ask again.
 */
export function useLifetime(handle: string, line: string | undefined): MessageLifetime | undefined {
  return useQuery({
    queryKey: [...lifetimeKey(handle), line],
    queryFn: ({ signal }) => call("get", PATH, { path: { handle }, signal }),
    placeholderData: keepPreviousData,
  }).data;
}

/** Set that lifetime; null: messages do not expire. It is shown at once. */
export function useSetLifetime(handle: string) {
  const client = useQueryClient();
  const queryKey = lifetimeKey(handle);
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: (ttl: MessageTtl | null) =>
      ttl === null
        ? call("delete", PATH, { path: { handle } })
        : call("put", PATH, { path: { handle }, body: { ttl } }),
    onMutate: async (ttl) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueriesData<MessageLifetime>({ queryKey });
      client.setQueriesData<MessageLifetime>({ queryKey }, { ttl });
      return before;
    },
    onError: (_error, _ttl, before) => {
      for (const [key, data] of before ?? []) {
        client.setQueryData(key, data);
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["messages"] }),
  });
}

/** Remove a message that has expired from its conversation. */
export function expireMessage(client: QueryClient, uuid: string): void {
  client.setQueriesData<Conversation>({ queryKey: ["messages", "conversation"] }, (found) =>
    found?.pages.some(({ body }) => body.some((message) => message.uuid === uuid))
      ? {
          ...found,
          pages: found.pages.map(({ body, next }) => ({
            body: body.filter((message) => message.uuid !== uuid),
            next,
          })),
        }
      : found,
  );
}

/** Whether the latest message of a listed conversation has expired, which reloads the lists. */
export function useIsOver(expiresAt: string | null): boolean {
  const client = useQueryClient();
  const isPast = useIsPast(expiresAt);
  useEffect(() => {
    if (isPast) {
      for (const list of ["groups", "requests", "counter"]) {
        void client.invalidateQueries({ queryKey: ["messages", list] });
      }
    }
  }, [client, isPast]);
  return isPast;
}
