/** What happened to the member, and how much of it they have not seen. */

import {
  type InfiniteData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { call, type Page, page } from "../api/http";
import type { Notification } from "../api/wire";
import { useSession } from "./session";

const LIST = ["notifications", "list"];
const COUNTER = ["notifications", "counter"];
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
    refetchInterval: COUNT_EVERY,
  });
}

/** Take a notification off the list: what it was about is gone. */
export function useForgetNotification(): (uuid: string) => void {
  const client = useQueryClient();
  return (uuid) => {
    client.setQueryData<InfiniteData<Page<readonly Notification[]>>>(LIST, (list) => {
      const without = ({ body, next }: Page<readonly Notification[]>) => ({
        body: body.filter((note) => note.uuid !== uuid),
        next,
      });
      return list && { ...list, pages: list.pages.map(without) };
    });
  };
}

/** How many the member has not seen; 0 for a visitor. */
export function useUnreadNotifications(): number {
  const isMember = useSession().phase === "in";
  const counter = useQuery({
    queryKey: COUNTER,
    queryFn: ({ signal }) => call("get", "/api/activities/notifications/counter", { signal }),
    refetchInterval: COUNT_EVERY,
    enabled: isMember,
  });
  return isMember ? (counter.data?.count ?? 0) : 0;
}
