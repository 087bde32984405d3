/** The member's notifications, and how many of them are unread. */

import {
  type InfiniteData,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { call, type Page, page } from "../api/http";
import type { Notification } from "../api/wire";
import { serverNow } from "../clock";
import { isVisible, refetchSoon } from "./client";
import { usePolling } from "./polling";
import { useSession } from "./session";

const LIST = ["notifications", "list"];
const COUNTER = ["notifications", "counter"];

type List = InfiniteData<Page<readonly Notification[]>>;

/** Milliseconds between two requests for a counter while the stream is down. */
export const COUNT_EVERY = 20_000;

/** The notifications, the newest first. The server marks what it returns as read. */
export function useNotifications() {
  const client = useQueryClient();
  return useInfiniteQuery({
    queryKey: LIST,
    queryFn: async ({ pageParam, signal }) => {
      const query = pageParam === undefined ? {} : { cursor: pageParam };
      const found = await page("get", "/api/activities/notifications", { query, signal });
      client.setQueryData(COUNTER, { count: 0 });
      return found;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next ?? undefined,
    refetchInterval: usePolling(COUNT_EVERY),
    staleTime: 0, // opening them must mark everything read, including what the stream added
  });
}

/** Remove a notification whose crud is gone. */
export function useRemoveNotification(): (uuid: string) => void {
  const client = useQueryClient();
  return (uuid) => changeNotes(client, (note) => (note.uuid === uuid ? null : note));
}

/** Add a notification to the top of the list, unless it is there already. */
export function insertNotification(client: QueryClient, note: Notification): void {
  client.setQueryData<List>(LIST, (list) => {
    const [newest, ...older] = list?.pages ?? [];
    const isKnown = list?.pages.some(({ body }) => body.some(({ uuid }) => uuid === note.uuid));
    return list === undefined || newest === undefined || isKnown
      ? undefined
      : { ...list, pages: [{ ...newest, body: [note, ...newest.body] }, ...older] };
  });
}

/** Refetch after a notification arrived: the list if it is visible, which marks it read. */
export async function refetchAfterNotification(client: QueryClient): Promise<void> {
  if (isVisible(client, LIST)) {
    await refetchSoon(client, LIST);
  }
  await refetchSoon(client, COUNTER);
}

/** Let the notifications about an expired or deleted crud expire with it. */
export function expireNotifications(client: QueryClient, uuid: string): void {
  const expires_at = new Date(serverNow()).toISOString();
  const isAboutIt = (note: Notification) => note.activity_uuid === uuid;
  if (client.getQueryData<List>(LIST)?.pages.some(({ body }) => body.some(isAboutIt))) {
    changeNotes(client, (note) => (isAboutIt(note) ? { ...note, expires_at } : note));
  }
}

/**
 * Refetch the unread count after a crud was removed, because its notifications do not count any
 * more. Removals are frequent, so this can wait.
 */
export function refetchAfterGone(client: QueryClient): void {
  if (client.getQueryData<{ count: number }>(COUNTER)?.count) {
    void refetchSoon(client, COUNTER, COUNT_EVERY);
  }
}

/** Change the notifications of the list; null removes one. */
function changeNotes(
  client: QueryClient,
  change: (note: Notification) => Notification | null,
): void {
  client.setQueryData<List>(LIST, (list) => {
    const pages = list?.pages.map(({ body, next }) => ({
      body: body.flatMap((note) => change(note) ?? []),
      next,
    }));
    return list && pages && { ...list, pages };
  });
}

/** How many notifications the member has not seen; 0 for a visitor. */
export function useUnreadNotifications(): number {
  const isMember = useSession().phase === "in";
  const counter = useQuery({
    queryKey: COUNTER,
    queryFn: ({ signal }) => call("get", "/api/activities/notifications/counter", { signal }),
    refetchInterval: usePolling(COUNT_EVERY),
    enabled: isMember,
  });
  return isMember ? (counter.data?.count ?? 0) : 0;
}
