/** Direct conversations, each identified by the other user's handle. */

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
import type { Message, MessageGroup, SentMessage } from "../api/wire";
import { serverNow } from "../clock";
import { hasData, isVisible, NOTIFY_ON_ERROR, refetchSoon } from "./client";
import { COUNT_EVERY } from "./notifications";
import { after, PAGED } from "./paging";
import { usePolling } from "./polling";
import { useSession } from "./session";

/** A message as it is listed. `pending`: the request that sends it is still under way. */
export type ListedMessage = Message & { readonly pending?: boolean };

type Groups = InfiniteData<Page<readonly MessageGroup[]>, string | undefined>;
type Conversation = InfiniteData<Page<readonly ListedMessage[]>, string | undefined>;

/** Conversations, or the requests for them. */
export type List = "groups" | "requests";

const GROUPS = ["messages", "groups"];
const REQUESTS = ["messages", "requests"];
const COUNTER = ["messages", "counter"];
const CONVERSATIONS = ["messages", "conversation"];
const sendKey = (handle: string) => ["send", handle.toLowerCase()];
const conversationKey = (handle: string) => [...CONVERSATIONS, handle.toLowerCase()];

/** Milliseconds between two requests for an open conversation while the stream is down. */
const POLL_EVERY = 5_000;

/** The member's conversations, or the requests for them, the latest first. */
export function useMessageGroups(list: List) {
  return useInfiniteQuery({
    queryKey: list === "groups" ? GROUPS : REQUESTS,
    queryFn: ({ pageParam, signal }) =>
      page("get", list === "groups" ? "/api/message_groups" : "/api/message_requests", {
        query: after(pageParam),
        signal,
      }),
    ...PAGED,
    refetchInterval: usePolling(COUNT_EVERY),
  });
}

/**
 * The conversation with a user; empty before the first message. The first page has the newest
 * messages, and each page lists its oldest message first. The server marks what it returns as
 * read.
 */
export function useConversation(handle: string) {
  const client = useQueryClient();
  return useInfiniteQuery({
    queryKey: conversationKey(handle),
    queryFn: async ({ pageParam, signal }): Promise<Page<readonly ListedMessage[]>> => {
      await whenSent(client, handle); // the response would not contain a message that is being sent
      const found = await page("get", "/api/messages/@{handle}", {
        path: { handle },
        query: after(pageParam),
        signal,
      });
      if (client.getQueryData<{ count: number }>(COUNTER)?.count !== 0) {
        void client.invalidateQueries({ queryKey: COUNTER });
        void client.invalidateQueries({ queryKey: GROUPS });
      }
      return found;
    },
    ...PAGED,
    staleTime: 0, // opening it must mark everything read, including what the stream added
    refetchInterval: usePolling(POLL_EVERY),
  });
}

/** The request of a user, if their conversation with the member is one. */
export function useRequestOf(handle: string): MessageGroup | undefined {
  const requests = useMessageGroups("requests");
  return requests.data?.pages
    .flatMap(({ body }) => body)
    .find((group) => group.handle === handle.toLowerCase());
}

/** Accept or delete a request. It leaves the list at once, and returns if the server rejects it. */
export function useAnswerRequest(answer: "accept" | "delete") {
  const client = useQueryClient();
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: ({ uuid }: MessageGroup) =>
      call(answer === "accept" ? "put" : "delete", "/api/message_requests/{message_group_uuid}", {
        path: { message_group_uuid: uuid },
      }),
    onMutate: async ({ uuid }) => {
      await client.cancelQueries({ queryKey: REQUESTS });
      const before = client.getQueryData<Groups>(REQUESTS);
      client.setQueryData<Groups>(
        REQUESTS,
        (found) =>
          found && {
            ...found,
            pages: found.pages.map(({ body, next }) => ({
              body: body.filter((group) => group.uuid !== uuid),
              next,
            })),
          },
      );
      return before;
    },
    onError: (_error, _group, before) => client.setQueryData(REQUESTS, before),
    onSettled: () => client.invalidateQueries({ queryKey: ["messages"] }),
  });
}

/** How many messages the member has not read; 0 for a visitor. */
export function useUnreadMessages(): number {
  const isMember = useSession().phase === "in";
  const counter = useQuery({
    queryKey: COUNTER,
    queryFn: ({ signal }) => call("get", "/api/messages/counter", { signal }),
    refetchInterval: usePolling(COUNT_EVERY),
    enabled: isMember,
  });
  return isMember ? (counter.data?.count ?? 0) : 0;
}

/** Send a message. It is listed at once, and removed if the server rejects it. */
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
      await client.cancelQueries({ queryKey: conversationKey(handle), predicate: hasData });
      change((newest) => [...newest, draftMessage(key, message)]);
    },
    onError: (_, { key }) => {
      change(without(key));
      void refetchSoon(client, conversationKey(handle)); // the server may have stored it before the failure
    },
    onSuccess: (sent, { key }) => {
      change((newest) => [...without(sent.uuid)(without(key)(newest)), sent]);
      void client.invalidateQueries({ queryKey: REQUESTS }); // an answer accepts a request
      return client.invalidateQueries({ queryKey: GROUPS });
    },
  });
}

/** Add a message to its conversation. The response adds a message that is still being sent. */
export function insertMessage(client: QueryClient, message: SentMessage): void {
  const handle = partner(client, message);
  if (handle !== null && !(isOwn(message) && isSending(client, handle))) {
    changeNewest(client, handle, (newest) =>
      newest.some(({ uuid }) => uuid === message.uuid) ? newest : [...newest, message],
    );
  }
}

/**
 * Refetch after a message arrived: the conversation if it is visible, which marks it read, and
 * the counters.
 */
export async function refetchAfterMessage(
  client: QueryClient,
  message: SentMessage,
): Promise<void> {
  const handle = partner(client, message);
  if (handle === null && !isSentHere(client, message)) {
    await refetchSoon(client, CONVERSATIONS);
  } else if (handle !== null && isVisible(client, conversationKey(handle))) {
    await refetchSoon(client, conversationKey(handle));
  }
  await Promise.all([refetchSoon(client, GROUPS), refetchSoon(client, COUNTER)]);
}

/** Whether a cached conversation has the member's own message, or one that is still pending. */
function isSentHere(client: QueryClient, { uuid }: Message): boolean {
  return client
    .getQueriesData<Conversation>({ queryKey: CONVERSATIONS })
    .some(([, found]) => found?.pages[0]?.body.some((one) => one.pending || one.uuid === uuid));
}

function isOwn({ handle }: Message): boolean {
  const session = getSession();
  return session.phase === "in" && session.user.handle === handle;
}

/** The handle of the other user; null for the member's own message to an unknown conversation. */
function partner(client: QueryClient, message: SentMessage): string | null {
  if (!isOwn(message)) {
    return message.handle;
  }
  const groups = client.getQueryData<InfiniteData<Page<readonly MessageGroup[]>>>(GROUPS);
  const found = groups?.pages
    .flatMap(({ body }) => body)
    .find(({ uuid }) => uuid === message.message_group_uuid);
  return found?.handle ?? null;
}

function isSending(client: QueryClient, handle: string): boolean {
  return client.isMutating({ mutationKey: sendKey(handle) }) > 0;
}

function whenSent(client: QueryClient, handle: string): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (!isSending(client, handle)) {
        unsubscribe();
        resolve();
      }
    };
    const unsubscribe = client.getMutationCache().subscribe(check);
    check();
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
    throw new Error("only members can send messages");
  }
  const { handle, display_name, avatar_url } = session.user;
  const created_at = new Date(serverNow()).toISOString();
  return {
    uuid: key,
    handle,
    display_name,
    avatar_url,
    message,
    created_at,
    expires_at: null,
    kind: "text",
    ttl: null,
    pending: true,
  };
}
