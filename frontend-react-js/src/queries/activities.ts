/** Hooks that read feeds of cruds, and that post, reply to and delete cruds. */

import {
  type QueryKey,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback } from "react";
import { takeHome } from "../api/early";
import { call, page } from "../api/http";
import { getSession } from "../api/session";
import type { Crud, CrudPage, PictureChoice, ProfileFeed, Ttl } from "../api/wire";
import { serverNow } from "../clock";
import { t } from "../language";
import { notify } from "../notices";
import { crudAddress } from "../text/addresses";
import { LIFETIMES } from "../text/lifetimes";
import { isVisible, NOTIFY_ON_ERROR } from "./client";
import {
  addBelow,
  addReplies,
  cancelFeedRequests,
  changeCrud,
  crudKey,
  FOLLOWING,
  FOLLOWING_HEAD,
  HEAD,
  HOME,
  isLive,
  profileKey,
  removeCrud,
  searchKey,
  withoutRemoved,
} from "./feedCache";
import {
  addToProfile,
  append,
  EMPTY_FEED,
  type Feed,
  type FeedPage,
  type ListedCrud,
  prepend,
  sortFirstPage,
} from "./feeds";
import { after, PAGED } from "./paging";
import { usePolling } from "./polling";

/** Milliseconds between two requests for new cruds while the stream is down. */
const POLL_EVERY = 20_000;

function useFeed(
  queryKey: QueryKey,
  fetchPage: (cursor: string | undefined, signal: AbortSignal) => Promise<FeedPage>,
  enabled = true,
) {
  const client = useQueryClient();
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetchPage(pageParam, signal),
    select: useCallback((feed: Feed) => withoutRemoved(client, feed), [client]),
    ...PAGED,
    staleTime: 60_000,
    refetchOnWindowFocus: false, // a feed must not move while it is being read
    enabled,
  });
}

/** The newest cruds of all users. */
export function useHome() {
  return useFeed(HOME, async (cursor, signal) => {
    const early = cursor === undefined ? takeHome() : undefined;
    const found = await (early ??
      page("get", "/api/activities/home", { query: after(cursor), signal }));
    return { cruds: found.body, next: found.next };
  });
}

/** What the member follows: people, their reposts, and tags. */
export function useFollowing() {
  return useFeed(FOLLOWING, async (cursor, signal) => {
    const found = await page("get", "/api/activities/following", {
      query: after(cursor),
      signal,
    });
    return { cruds: found.body, next: found.next };
  });
}

/** A feed of Home: its key, that of its newest part, and where to fetch both. */
export const HOME_FEED = { key: HOME, head: HEAD, path: "/api/activities/home" } as const;
export const FOLLOWING_FEED = {
  key: FOLLOWING,
  head: FOLLOWING_HEAD,
  path: "/api/activities/following",
} as const;

/**
 * The cruds that were posted since a feed of Home was fetched. They come from the stream; from a
 * second request if the stream began later than the feed; and from polling while it is down.
 *
 * `show` adds them to the feed.
 */
export function useNewCruds(
  { key, head: headKey, path }: typeof HOME_FEED | typeof FOLLOWING_FEED,
  home: Feed | undefined,
) {
  const client = useQueryClient();
  const { data: head } = useQuery({
    queryKey: headKey,
    queryFn: async ({ signal }): Promise<Feed> => {
      const { body, next } = await page("get", path, { signal });
      return { pages: [{ cruds: body, next }], pageParams: [undefined] };
    },
    select: useCallback((feed: Feed) => withoutRemoved(client, feed), [client]),
    initialData: EMPTY_FEED,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: usePolling(POLL_EVERY),
    enabled: home !== undefined,
    retry: false,
  });
  const shown = home?.pages.flatMap(({ cruds }) => cruds) ?? [];
  const known = new Set(shown.map((crud) => crud.uuid));
  // Compare with the oldest: a crud that is older than one's own latest post is still new here.
  // A repost is listed by its own time, so any that is not shown is new.
  const isByTime = key === HOME;
  const oldest = isByTime ? (shown.findLast((crud) => !crud.pending)?.created_at ?? "") : "";
  const first = head?.pages[0];
  const isSending = shown.some((crud) => crud.pending); // the head may list it under its real uuid
  const found = (isSending ? [] : (first?.cruds ?? []))
    .filter((crud) => !known.has(crud.uuid) && crud.created_at >= oldest && isLive(crud))
    .map((crud) => ({ ...crud, arrived: true }));
  // The whole page is new, so there may be more between it and the feed: start from the top.
  const isGap = first?.next != null && found.length > 0 && found.length === first.cruds.length;
  return {
    found,
    isGap,
    show: () => {
      client.setQueryData<Feed>(key, (feed) => {
        const added = prepend(feed, found);
        return isGap ? head : isByTime ? sortFirstPage(added) : added;
      });
    },
  };
}

/** A user's profile, their cruds and their reposts. */
export function useProfile(handle: string) {
  return useFeed(profileKey(handle), async (cursor, signal) => {
    const found = await page("get", "/api/activities/@{handle}", {
      path: { handle },
      query: { ...after(cursor), shape: "profile" },
      signal,
    });
    const { profile, activities } = found.body as ProfileFeed; // `shape` selects this type
    return { cruds: activities, next: found.next, profile };
  });
}

/** A crud in its thread, with its replies, the oldest first. */
export function useCrud(uuid: string, handle: string) {
  return useThread(uuid, (input) =>
    page("get", "/api/activities/@{handle}/status/{uuid}", { path: { handle, uuid }, ...input }),
  );
}

/** All replies to a crud, the oldest first, once they are `enabled`. */
export function useReplies(uuid: string, enabled: boolean) {
  return useThread(
    uuid,
    (input) => page("get", "/api/activities/{uuid}", { path: { uuid }, ...input }),
    enabled,
  );
}

function useThread(
  uuid: string,
  fetchPage: (input: {
    query: { cursor?: string };
    signal: AbortSignal;
  }) => Promise<{ body: CrudPage; next: string | null }>,
  enabled = true,
) {
  return useFeed(
    crudKey(uuid),
    async (cursor, signal) => {
      const { body, next } = await fetchPage({ query: after(cursor), signal });
      const { activity, ancestors = [], replies } = body;
      return { cruds: replies, next, activity, ancestors };
    },
    enabled,
  );
}

/** The cruds that match a search term, the best match first. */
export function useSearch(term: string) {
  return useFeed(
    searchKey(term),
    async (cursor, signal) => {
      const found = await page("get", "/api/activities/search", {
        query: { ...after(cursor), term },
        signal,
      });
      return { cruds: found.body, next: found.next };
    },
    term !== "",
  );
}

/** Post a crud. The feeds list it at once, and remove it if the server rejects it. */
export function usePost() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ message, ttl, key, pictures }: Posted & { ttl: Ttl }) =>
      call("post", "/api/activities", {
        body: { message, ttl, ...choose(pictures) },
        idempotencyKey: key,
      }),
    onMutate: async ({ ttl, ...posted }) => {
      const pending = pendingCrud(posted, LIFETIMES[ttl] * 3_600_000);
      await cancelFeedRequests(client);
      for (const queryKey of [HOME, profileKey(pending.handle)]) {
        client.setQueryData<Feed>(queryKey, (feed) => prepend(feed, [pending]));
      }
    },
    onError: (_, { key }) => changeCrud(client, key, () => null),
    onSuccess: (crud, { key }) => {
      changeCrud(client, key, () => null);
      client.setQueryData<Feed>(HOME, (feed) => prepend(feed, [crud]));
      client.setQueryData<Feed>(profileKey(crud.handle), (feed) => addToProfile(feed, crud));
      void client.invalidateQueries({ queryKey: ["trending"] });
      if (isVisible(client, FOLLOWING)) {
        notify(t.crud.posted, "good", null, { text: t.crud.view, to: crudAddress(crud) });
      }
    },
  });
}

/** Reply to a crud. The reply is listed at once, and removed if the server rejects it. */
export function useReply(parent: Crud) {
  const client = useQueryClient();
  return useMutation({
    mutationKey: ["reply", parent.uuid],
    mutationFn: ({ message, key, pictures }: Posted) =>
      call("post", "/api/activities/{uuid}/reply", {
        path: { uuid: parent.uuid },
        body: { message, ...choose(pictures) },
        idempotencyKey: key,
      }),
    onMutate: async (posted) => {
      await cancelFeedRequests(client);
      const left = parent.expires_at === null ? 0 : Date.parse(parent.expires_at) - serverNow();
      const pending = {
        ...pendingCrud(posted, left),
        reply_to_activity_uuid: parent.uuid,
        reply_to_handle: parent.handle,
      };
      client.setQueryData<Feed>(crudKey(parent.uuid), (feed) => append(feed, pending));
      addBelow(client, pending);
      addReplies(client, parent.uuid, 1);
    },
    onError: (_, { key }) => {
      changeCrud(client, key, () => null);
      addReplies(client, parent.uuid, -1);
    },
    onSuccess: (reply, { key }) => {
      changeCrud(client, key, () => reply);
      notify(t.crud.replyPosted, "good", null, { text: t.crud.view, to: crudAddress(reply) });
    },
  });
}

/** Delete one's own crud. The feeds hide it at once, and show it again if the server fails. */
export function useDelete() {
  const client = useQueryClient();
  const mark = (uuid: string, deleting: boolean) =>
    changeCrud(client, uuid, (crud) => ({ ...crud, deleting }));
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: (crud: Crud) =>
      call("delete", "/api/activities/{uuid}", { path: { uuid: crud.uuid } }),
    onMutate: async ({ uuid }) => {
      await cancelFeedRequests(client);
      mark(uuid, true);
    },
    onError: (_, { uuid }) => mark(uuid, false),
    onSuccess: (_, crud) => removeCrud(client, crud),
  });
}

/** What a member posts. `key` is the idempotency key. */
interface Posted {
  readonly message: string;
  readonly key: string;
  readonly pictures: readonly (PictureChoice & {
    readonly width: number;
    readonly height: number;
    /** An address of the file in this browser. */
    readonly preview?: string;
  })[];
}

/** The part of a body that names the pictures. */
function choose(pictures: Posted["pictures"]): { pictures?: readonly PictureChoice[] } {
  return pictures.length === 0
    ? {}
    : { pictures: pictures.map(({ uuid, alt }) => ({ uuid, alt: alt ?? "" })) };
}

/** The crud that the server will probably create. Its uuid is the idempotency key until then. */
function pendingCrud({ key, message, pictures }: Posted, lifetime: number): ListedCrud {
  const session = getSession();
  if (session.phase !== "in") {
    throw new Error("only members can post");
  }
  const { handle, display_name, avatar_url } = session.user;
  return {
    uuid: key,
    handle,
    display_name,
    avatar_url,
    message,
    created_at: new Date(serverNow()).toISOString(),
    expires_at: new Date(serverNow() + lifetime).toISOString(),
    replies_count: 0,
    reposts_count: 0,
    likes_count: 0,
    liked: false,
    reposted: false,
    reply_to_activity_uuid: null,
    pictures: pictures.flatMap(({ preview, alt = "", width, height }) =>
      preview === undefined ? [] : [{ url: preview, thumbnail_url: preview, alt, width, height }],
    ),
    replies: [],
    pending: true,
  };
}
