/** The member's notifications, and how many of them are unread. */

import {
  type InfiniteData,
  type QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { call, type Page, page } from "../api/http";
import type { NotificationGroup } from "../api/wire";
import { serverNow } from "../clock";
import { isVisible, refetchSoon } from "./client";
import { after, PAGED } from "./paging";
import { usePolling } from "./polling";
import { useSession } from "./session";

/** All notifications, or only replies and mentions. */
export type Feed = "all" | "mentions";

const LISTS = ["notifications", "list"];
const COUNTER = ["notifications", "counter"];

type List = InfiniteData<Page<readonly NotificationGroup[]>>;

/** Milliseconds between two requests for a counter while the stream is down. */
export const COUNT_EVERY = 20_000;

/**
 * The notifications in groups, the newest first. The server marks what it returns as read; here it
 * stays unread until the member leaves the list.
 */
export function useNotifications(feed: Feed) {
  const client = useQueryClient();
  const unread = useRef(new Set<string>());
  // What was on screen is read when the list is opened again.
  useEffect(() => () => changeGroups(client, (group) => ({ ...group, unread: false })), [client]);
  const query = useInfiniteQuery({
    queryKey: [...LISTS, feed],
    queryFn: async ({ pageParam, signal }) => {
      const found = await page("get", "/api/notifications", {
        query: {
          ...(feed === "all" ? {} : { feed }),
          ...after(pageParam),
        },
        signal,
      });
      if (feed === "all") {
        client.setQueryData(COUNTER, { count: 0 });
      } else {
        void client.invalidateQueries({ queryKey: COUNTER });
      }
      return found;
    },
    ...PAGED,
    refetchInterval: usePolling(COUNT_EVERY),
    staleTime: 0, // opening them must mark everything read, including what the stream added
  });
  const isUnread = (group: NotificationGroup) => {
    if (group.unread) {
      unread.current.add(group.uuid);
    }
    return unread.current.has(group.uuid);
  };
  return { query, isUnread };
}

/** Remove the notifications about a crud that is gone. */
export function useRemoveNotification(): (group: NotificationGroup) => void {
  const client = useQueryClient();
  return ({ activity }) =>
    changeGroups(client, (group) => (group.activity?.uuid === activity?.uuid ? null : group));
}

/** Refetch after a notification arrived: the list if it is visible, which marks it read. */
export async function refetchAfterNotification(client: QueryClient): Promise<void> {
  if (isVisible(client, LISTS)) {
    await refetchSoon(client, LISTS);
  }
  await refetchSoon(client, COUNTER);
}

/** Let the notifications about an expired or deleted crud expire with it. */
export function expireNotifications(client: QueryClient, uuid: string): void {
  const expires_at = new Date(serverNow()).toISOString();
  changeGroups(client, (group) =>
    group.activity?.uuid === uuid
      ? { ...group, activity: { ...group.activity, expires_at } }
      : group,
  );
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

/** Change the groups of the lists; null removes one. */
function changeGroups(
  client: QueryClient,
  change: (group: NotificationGroup) => NotificationGroup | null,
): void {
  client.setQueriesData<List>({ queryKey: LISTS }, (list) => {
    const pages = list?.pages.map(({ body, next }) => ({
      body: body.flatMap((group) => change(group) ?? []),
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
