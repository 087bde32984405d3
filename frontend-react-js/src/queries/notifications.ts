/** What happened to the member, and how much of it they have not seen. */

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
import { askSoon, isLookedAt } from "./client";
import { usePolling } from "./polling";
import { useSession } from "./session";

const LIST = ["notifications", "list"];
const COUNTER = ["notifications", "counter"];

type List = InfiniteData<Page<readonly Notification[]>>;

/** Milliseconds between two looks at a counter. */
export const COUNT_EVERY = 20_000;

/** The newest first. Reading them marks them read. */
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
    staleTime: 0, // who comes to them reads them, also what the stream put there
  });
}

/** Take a notification off the list: what it was about is gone. */
export function useForgetNotification(): (uuid: string) => void {
  const client = useQueryClient();
  return (uuid) => changeNotes(client, (note) => (note.uuid === uuid ? null : note));
}

/** Put a notification on top of the list, where it is not in it. */
export function takeNotification(client: QueryClient, note: Notification): void {
  client.setQueryData<List>(LIST, (list) => {
    const [newest, ...older] = list?.pages ?? [];
    const isKnown = list?.pages.some(({ body }) => body.some(({ uuid }) => uuid === note.uuid));
    return list === undefined || newest === undefined || isKnown
      ? undefined
      : { ...list, pages: [{ ...newest, body: [note, ...newest.body] }, ...older] };
  });
}

/** Who looks at the list reads it; what is not read counts. */
export async function askAfterNotification(client: QueryClient): Promise<void> {
  if (isLookedAt(client, LIST)) {
    await askSoon(client, LIST);
  }
  await askSoon(client, COUNTER);
}

/** A crud is gone: what is told of it goes as well. */
export function takeGoneFromNotifications(client: QueryClient, uuid: string): void {
  const expires_at = new Date(serverNow()).toISOString();
  const isAboutIt = (note: Notification) => note.activity_uuid === uuid;
  if (client.getQueryData<List>(LIST)?.pages.some(({ body }) => body.some(isAboutIt))) {
    changeNotes(client, (note) => (isAboutIt(note) ? { ...note, expires_at } : note));
  }
}

/** What is gone does not count any longer, if it did; so many go that this can wait. */
export function askAfterGone(client: QueryClient): void {
  if (client.getQueryData<{ count: number }>(COUNTER)?.count) {
    void askSoon(client, COUNTER, COUNT_EVERY);
  }
}

/** Change the notifications of the list; null takes one out. */
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

/** How many the member has not seen; 0 for a visitor. */
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
