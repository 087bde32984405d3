/** Conversations of two, each known by the other person's handle. */

import {
  type InfiniteData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { call, type Page, page } from "../api/http";
import { getSession } from "../api/session";
import type { Message } from "../api/wire";
import { serverNow } from "../clock";
import { isShown } from "./client";
import { COUNT_EVERY } from "./notifications";
import { useSession } from "./session";

/** A message as it is listed. `pending`: it is on its way to the server. */
export type ListedMessage = Message & { readonly pending?: boolean };

type Conversation = InfiniteData<Page<readonly ListedMessage[]>, string | undefined>;

const GROUPS = ["messages", "groups"];
const COUNTER = ["messages", "counter"];
const sendKey = (handle: string) => ["send", handle.toLowerCase()];
const conversationKey = (handle: string) => ["messages", "conversation", handle.toLowerCase()];

/** Milliseconds between two looks into an open conversation. */
const LOOK_EVERY = 5_000;

/** The member's conversations, the latest first. */
export function useMessageGroups() {
  return useInfiniteQuery({
    queryKey: GROUPS,
    queryFn: ({ pageParam, signal }) =>
      page("get", "/api/message_groups", { query: cursor(pageParam), signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: COUNT_EVERY,
  });
}

/**
 * The conversation with a person; empty before the first message. The first page is the
 * newest, each page its oldest message first. Reading it marks it read.
 */
export function useConversation(handle: string) {
  const client = useQueryClient();
  return useInfiniteQuery({
    queryKey: conversationKey(handle),
    queryFn: async ({ pageParam, signal }): Promise<Page<readonly ListedMessage[]>> => {
      const found = await page("get", "/api/messages/@{handle}", {
        path: { handle },
        query: cursor(pageParam),
        signal,
      });
      if (client.getQueryData<{ count: number }>(COUNTER)?.count !== 0) {
        void client.invalidateQueries({ queryKey: COUNTER });
        void client.invalidateQueries({ queryKey: GROUPS });
      }
      return found;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    // A message on its way would vanish until it arrives.
    refetchInterval: () =>
      client.isMutating({ mutationKey: sendKey(handle) }) ? false : LOOK_EVERY,
  });
}

/** How many messages the member has not read; 0 for a visitor. */
export function useUnreadMessages(): number {
  const isMember = useSession().phase === "in";
  const counter = useQuery({
    queryKey: COUNTER,
    queryFn: ({ signal }) => call("get", "/api/messages/counter", { signal }),
    refetchInterval: COUNT_EVERY,
    enabled: isMember,
  });
  return isMember ? (counter.data?.count ?? 0) : 0;
}

/** Send a message. It is shown at once, and taken back if the server refuses it. */
export function useSend(handle: string) {
  const client = useQueryClient();
  const change = (by: (newest: readonly ListedMessage[]) => readonly ListedMessage[]) =>
    changeNewest(client, handle, by);
  const without = (uuid: string) => (newest: readonly ListedMessage[]) =>
    newest.filter((message) => message.uuid !== uuid);
  return useMutation({
    mutationKey: sendKey(handle),
    mutationFn: ({ message, key }: { message: string; key: string }) =>
      call("post", "/api/messages", { body: { message, handle }, idempotencyKey: key }),
    onMutate: async ({ message, key }) => {
      await client.cancelQueries({ queryKey: conversationKey(handle), predicate: isShown });
      change((newest) => [...newest, draftMessage(key, message)]);
    },
    onError: (_, { key }) => change(without(key)),
    onSuccess: (sent, { key }) => {
      change((newest) => [...without(sent.uuid)(without(key)(newest)), sent]);
      return client.invalidateQueries({ queryKey: GROUPS });
    },
  });
}

function changeNewest(
  client: QueryClient,
  handle: string,
  by: (newest: readonly ListedMessage[]) => readonly ListedMessage[],
): void {
  client.setQueryData<Conversation>(conversationKey(handle), (found) => {
    const [newest, ...older] = found?.pages ?? [];
    if (found === undefined || newest === undefined) {
      return found;
    }
    return { ...found, pages: [{ ...newest, body: by(newest.body) }, ...older] };
  });
}

function draftMessage(key: string, message: string): ListedMessage {
  const session = getSession();
  if (session.phase !== "in") {
    throw new Error("only members write messages");
  }
  const { handle, display_name, avatar_url } = session.user;
  const created_at = new Date(serverNow()).toISOString();
  return { uuid: key, handle, display_name, avatar_url, message, created_at, pending: true };
}

function cursor(from: string | undefined): { cursor?: string } {
  return from === undefined ? {} : { cursor: from };
}
