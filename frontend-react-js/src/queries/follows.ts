/** Follows of people and tags. */

import {
  type QueryClient,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect } from "react";
import { call, page } from "../api/http";
import { getSession } from "../api/session";
import { follow } from "../api/stream";
import type { Crud } from "../api/wire";
import { refetchSoon } from "./client";
import { FOLLOWING, FOLLOWING_HEAD, insertFollowed } from "./feedCache";
import { after, PAGED } from "./paging";
import { changeShown } from "./people";
import { useSession } from "./session";
import { useSwitch } from "./switches";

export type Direction = "followers" | "following";

const LISTS = ["follows"];
const TAGS = ["followed tags"];
const FOUND = ["found people"];

/** Follow or unfollow a user. */
export function useFollow(handle: string) {
  const client = useQueryClient();
  return useSwitch(["follow", handle], {
    send: (on) => call(on ? "put" : "delete", "/api/users/@{handle}/follow", { path: { handle } }),
    show: (on) => showFollow(client, handle, on),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: FOLLOWING });
      void client.invalidateQueries({ queryKey: LISTS });
    },
  });
}

/** The followers of a user, or the users that they follow, the latest first. */
export function useFollows(handle: string, direction: Direction) {
  return useInfiniteQuery({
    queryKey: [...LISTS, direction, handle.toLowerCase()],
    queryFn: ({ pageParam, signal }) =>
      page("get", `/api/users/@{handle}/${direction}`, {
        path: { handle },
        query: after(pageParam),
        signal,
      }),
    ...PAGED,
  });
}

/** The users whose names have the words of a search term; none unless it is `enabled`. */
export function usePeople(term: string, enabled: boolean) {
  return useQuery({
    enabled,
    queryKey: [...FOUND, term],
    queryFn: ({ signal }) => call("get", "/api/users/search", { query: { term }, signal }),
    staleTime: 60_000,
  });
}

/** The tags that the member follows; none for a visitor. */
export function useFollowedTags() {
  const isMember = useSession().phase === "in";
  return useQuery({
    queryKey: TAGS,
    queryFn: ({ signal }) => call("get", "/api/tags/followed", { signal }),
    enabled: isMember,
  });
}

/** Follow or unfollow a tag. */
export function useFollowTag(tag: string) {
  const client = useQueryClient();
  return useSwitch(["follow tag", tag], {
    send: (on) => call(on ? "put" : "delete", "/api/tags/{tag}/follow", { path: { tag } }),
    show: (on) =>
      client.setQueryData<readonly string[]>(
        TAGS,
        (tags) => tags && [...tags.filter((other) => other !== tag), ...(on ? [tag] : [])],
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: FOLLOWING }),
  });
}

/** Add what the member follows to their feed as it is posted, while the feed is on screen. */
export function useFollowingStream(): void {
  const client = useQueryClient();
  useEffect(
    () =>
      follow(
        ({ type, data }) => {
          if (type === "crud") {
            insertFollowed(client, JSON.parse(data) as Crud);
          }
        },
        () => void refetchSoon(client, FOLLOWING_HEAD), // the feed was fetched earlier
        () => {},
        "following",
      ),
    [client],
  );
}

/** Show whether the member follows a user, also in the counts of both. */
function showFollow(client: QueryClient, handle: string, followed: boolean): void {
  const session = getSession();
  const own = session.phase === "in" ? session.user.handle : undefined;
  const plus = (count: unknown) => Math.max(0, Number(count) + (followed ? 1 : -1));
  let isChanged = false;
  changeShown(client, (found) => {
    if (found.handle !== handle || !("followed" in found) || found.followed === followed) {
      return undefined;
    }
    isChanged = true;
    return "followers_count" in found
      ? { followed, followers_count: plus(found.followers_count) }
      : { followed };
  });
  if (isChanged) {
    changeShown(client, (found) =>
      found.handle === own && "following_count" in found
        ? { following_count: plus(found.following_count) }
        : undefined,
    );
  }
}
