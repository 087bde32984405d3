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
import type { Message, MessageGroup, SentMessage } from "../api/wire";
import { serverNow } from "../clock";
import { askSoon, isLookedAt, isShown } from "./client";
import { COUNT_EVERY } from "./notifications";
import { usePolling } from "./polling";
import { useSession } from "./session";

/** A message as it is listed. `pending`: it is on its way to the server. */
export type ListedMessage = Message & { readonly pending?: boolean };

type Conversation = InfiniteData<Page<readonly ListedMessage[]>, string | undefined>;

const GROUPS = ["messages", "groups"];
const COUNTER = ["messages", "counter"];
const CONVERSATIONS = ["messages", "conversation"];
const sendKey = (handle: string) => ["send", handle.toLowerCase()];
const conversationKey = (handle: string) => [...CONVERSATIONS, handle.toLowerCase()];

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
    refetchInterval: usePolling(COUNT_EVERY),
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
      await whenSent(client, handle); // a message on its way would vanish until it arrives
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
    staleTime: 0, // who comes to it reads it, also what the stream put there
    refetchInterval: usePolling(LOOK_EVERY),
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
    onError: (_, { key }) => {
      change(without(key));
      void askSoon(client, conversationKey(handle)); // it may be there all the same
    },
    onSuccess: (sent, { key }) => {
      change((newest) => [...without(sent.uuid)(without(key)(newest)), sent]);
      return client.invalidateQueries({ queryKey: GROUPS });
    },
  });
}

/** Put a message into its conversation. One's own that is on its way comes by its answer. */
export function takeMessage(client: QueryClient, message: SentMessage): void {
  const handle = partner(client, message);
  if (handle !== null && !(isOwn(message) && isSending(client, handle))) {
    changeNewest(client, handle, (newest) =>
      newest.some(({ uuid }) => uuid === message.uuid) ? newest : [...newest, message],
    );
  }
}

/** Who looks at the conversation reads what came there; what is not read counts. */
export async function askAfterMessage(client: QueryClient, message: SentMessage): Promise<void> {
  const handle = partner(client, message);
  if (handle === null && !isSentHere(client, message)) {
    await askSoon(client, CONVERSATIONS);
  } else if (handle !== null && isLookedAt(client, conversationKey(handle))) {
    await askSoon(client, conversationKey(handle));
  }
  await Promise.all([askSoon(client, GROUPS), askSoon(client, COUNTER)]);
}

/** Whether one's own message is there, perhaps under another name while it is on its way. */
function isSentHere(client: QueryClient, { uuid }: Message): boolean {
  return client
    .getQueriesData<Conversation>({ queryKey: CONVERSATIONS })
    .some(([, found]) => found?.pages[0]?.body.some((one) => one.pending || one.uuid === uuid));
}

function isOwn({ handle }: Message): boolean {
  const session = getSession();
  return session.phase === "in" && session.user.handle === handle;
}

/** The handle of the other person; null where it is the member's own to somebody unknown. */
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
    const look = () => {
      if (!isSending(client, handle)) {
        unfollow();
        resolve();
      }
    };
    const unfollow = client.getMutationCache().subscribe(look);
    look();
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
