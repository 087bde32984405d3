/** Cruds: the feeds they are read in, and posting, replying to and deleting them. */

import {
  hashKey,
  type InfiniteData,
  type Query,
  type QueryClient,
  type QueryKey,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback } from "react";
import { call, page } from "../api/http";
import { getSession } from "../api/session";
import { getStanding } from "../api/stream";
import type { Counts, Crud, Profile, ProfileFeed, Ttl } from "../api/wire";
import { serverNow } from "../clock";
import { askSoon, isShown, TOLD } from "./client";
import { usePolling } from "./polling";

/** A crud as it is listed. `pending`: it is on its way to the server. */
export type ListedCrud = Crud & {
  readonly pending?: boolean;
  /** It is hidden while the server is asked to delete it. */
  readonly deleting?: boolean;
  /** It came while the feed was open. */
  readonly arrived?: boolean;
};

/** A part of a feed; `profile` or `activity` is what the whole feed belongs to. */
export interface FeedPage {
  readonly cruds: readonly ListedCrud[];
  readonly next: string | null;
  readonly profile?: Profile;
  readonly activity?: ListedCrud;
}

export type Feed = InfiniteData<FeedPage, unknown>;

const ALL = ["activities"];
const HOME = [...ALL, "home"];
const HEAD = [...ALL, "head"];
const profileKey = (handle: string) => [...ALL, "profile", handle.toLowerCase()];
const crudKey = (uuid: string) => [...ALL, "crud", uuid];

/** Milliseconds between two looks for new cruds. */
const LOOK_EVERY = 20_000;
/** Cruds that wait to be shown, or were, beyond which only the newest are kept. */
const MOST_WAITING = 100;

const LIFETIMES: Record<Ttl, number> = {
  "30-days": 30 * 24,
  "7-days": 7 * 24,
  "3-days": 3 * 24,
  "1-day": 24,
  "12-hours": 12,
  "3-hours": 3,
  "1-hour": 1,
};

function useFeed(
  queryKey: QueryKey,
  read: (cursor: string | undefined, signal: AbortSignal) => Promise<FeedPage>,
  enabled = true,
) {
  const client = useQueryClient();
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    select: useCallback((feed: Feed) => withoutGone(client, feed), [client]),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: FeedPage) => last.next ?? undefined,
    staleTime: 60_000,
    refetchOnWindowFocus: false, // a feed that is being read does not move by itself
    enabled,
  });
}

/** The newest cruds of everybody. */
export function useHome() {
  return useFeed(HOME, async (cursor, signal) => {
    const found = await page("get", "/api/activities/home", { query: query({ cursor }), signal });
    return { cruds: found.body, next: found.next };
  });
}

/**
 * Cruds that came since the home feed was read: told by the stream, or looked for.
 *
 * `show` puts them into the feed.
 */
export function useNewCruds(home: Feed | undefined) {
  const client = useQueryClient();
  const { data: head } = useQuery({
    queryKey: HEAD,
    queryFn: async ({ signal }): Promise<Feed> => {
      const { body, next } = await page("get", "/api/activities/home", { signal });
      return { pages: [{ cruds: body, next }], pageParams: [undefined] };
    },
    select: useCallback((feed: Feed) => withoutGone(client, feed), [client]),
    refetchInterval: usePolling(LOOK_EVERY),
    enabled: home !== undefined,
    retry: false,
  });
  const shown = home?.pages.flatMap((part) => part.cruds) ?? [];
  const known = new Set(shown.map((crud) => crud.uuid));
  // Not the newest: what came before one's own last crud is new as well.
  const oldest = shown.findLast((crud) => !crud.pending)?.created_at ?? "";
  const first = head?.pages[0];
  const isSending = shown.some((crud) => crud.pending); // one of them may be on its way back
  const found = (isSending ? [] : (first?.cruds ?? []))
    .filter((crud) => !known.has(crud.uuid) && crud.created_at >= oldest && isAlive(crud))
    .map((crud) => ({ ...crud, arrived: true }));
  // More came than were looked at: what lies between is fetched again from the top.
  const isGap = first?.next != null && found.length > 0 && found.length === first.cruds.length;
  return {
    found,
    isGap,
    show: () => {
      client.setQueryData<Feed>(HOME, (feed) => (isGap ? head : newestFirst(prepend(feed, found))));
    },
  };
}

/** A person, their cruds and what they reposted. */
export function useProfile(handle: string) {
  return useFeed(profileKey(handle), async (cursor, signal) => {
    const found = await page("get", "/api/activities/@{handle}", {
      path: { handle },
      query: { ...query({ cursor }), shape: "profile" },
      signal,
    });
    const { profile, activities } = found.body as ProfileFeed; // as `shape` demands
    return { cruds: activities, next: found.next, profile };
  });
}

/** A crud and its replies, the oldest first. Without its author's handle any will do. */
export function useCrud(uuid: string, handle?: string) {
  return useFeed(crudKey(uuid), async (cursor, signal) => {
    const asked = { query: query({ cursor }), signal };
    const found =
      handle === undefined
        ? await page("get", "/api/activities/{uuid}", { path: { uuid }, ...asked })
        : await page("get", "/api/activities/@{handle}/status/{uuid}", {
            path: { handle, uuid },
            ...asked,
          });
    return { cruds: found.body.replies, next: found.next, activity: found.body.activity };
  });
}

/** Cruds that match a term, the best first. */
export function useSearch(term: string) {
  return useFeed(
    [...ALL, "search", term],
    async (cursor, signal) => {
      const found = await page("get", "/api/activities/search", {
        query: { ...query({ cursor }), term },
        signal,
      });
      return { cruds: found.body, next: found.next };
    },
    term !== "",
  );
}

/** Post a crud. It is listed at once, and taken back if the server refuses it. */
export function usePost() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ message, ttl, key }: { message: string; ttl: Ttl; key: string }) =>
      call("post", "/api/activities", { body: { message, ttl }, idempotencyKey: key }),
    onMutate: async ({ message, ttl, key }) => {
      const pending = draftCrud(key, message, LIFETIMES[ttl] * 3_600_000);
      await holdFeeds(client);
      for (const queryKey of [HOME, profileKey(pending.handle)]) {
        client.setQueryData<Feed>(queryKey, (feed) => prepend(feed, [pending]));
      }
    },
    onError: (_, { key }) => changeCrud(client, key, () => null),
    onSuccess: (crud, { key }) => {
      changeCrud(client, key, () => null);
      client.setQueryData<Feed>(HOME, (feed) => prepend(feed, [crud]));
      client.setQueryData<Feed>(profileKey(crud.handle), (feed) => received(feed, crud));
      void client.invalidateQueries({ queryKey: ["trending"] });
    },
  });
}

/** Reply to a crud, in the same way. */
export function useReply(parent: Crud) {
  const client = useQueryClient();
  const count = (by: number) =>
    changeCrud(client, parent.uuid, (crud) => ({
      ...crud,
      replies_count: Math.max(0, crud.replies_count + by),
    }));
  return useMutation({
    mutationKey: ["reply", parent.uuid],
    mutationFn: ({ message, key }: { message: string; key: string }) =>
      call("post", "/api/activities/{uuid}/reply", {
        path: { uuid: parent.uuid },
        body: { message },
        idempotencyKey: key,
      }),
    onMutate: async ({ message, key }) => {
      await holdFeeds(client);
      const left = parent.expires_at === null ? 0 : Date.parse(parent.expires_at) - serverNow();
      const pending = { ...draftCrud(key, message, left), reply_to_activity_uuid: parent.uuid };
      client.setQueryData<Feed>(crudKey(parent.uuid), (feed) => append(feed, pending));
      count(1);
    },
    onError: (_, { key }) => {
      changeCrud(client, key, () => null);
      count(-1);
    },
    onSuccess: (reply, { key }) => changeCrud(client, key, () => reply),
  });
}

/** Delete one's own crud. It is hidden at once, and comes back if the server refuses. */
export function useDelete() {
  const client = useQueryClient();
  const mark = (uuid: string, deleting: boolean) =>
    changeCrud(client, uuid, (crud) => ({ ...crud, deleting }));
  return useMutation({
    meta: TOLD,
    mutationFn: (crud: Crud) =>
      call("delete", "/api/activities/{uuid}", { path: { uuid: crud.uuid } }),
    onMutate: async ({ uuid }) => {
      await holdFeeds(client);
      mark(uuid, true);
    },
    onError: (_, { uuid }) => mark(uuid, false),
    onSuccess: (_, crud) => forgetCrud(client, crud),
  });
}

/** The uuids of what is gone for this page. An answer that was on its way may still have it. */
const GONE = new WeakMap<QueryClient, Set<string>>();

function goneFrom(client: QueryClient): Set<string> {
  const known = GONE.get(client) ?? new Set();
  GONE.set(client, known);
  return known;
}

function withoutGone(client: QueryClient, feed: Feed): Feed {
  const gone = goneFrom(client);
  const isGone = (crud: ListedCrud) => gone.has(crud.uuid);
  if (!feed.pages.some(({ cruds }) => cruds.some(isGone))) {
    return feed;
  }
  const pages = feed.pages.map((part) => ({
    ...part,
    cruds: part.cruds.filter((crud) => !isGone(crud)),
  }));
  return { ...feed, pages };
}

/** Let go of answers that are on their way: they were made before what is changed now. */
export function holdFeeds(client: QueryClient): Promise<void> {
  return client.cancelQueries({ queryKey: ALL, predicate: isShown });
}

function isAlive({ expires_at }: Crud): boolean {
  return expires_at === null || Date.parse(expires_at) > serverNow();
}

/** Take a crud that is gone out of every list, and off the count of its author or parent. */
export function forgetCrud(client: QueryClient, crud: Crud): void {
  if (goneFrom(client).has(crud.uuid)) {
    return; // another row of it went first
  }
  goneFrom(client).add(crud.uuid);
  if (crud.reply_to_activity_uuid === null) {
    client.setQueryData<Feed>(profileKey(crud.handle), (feed) => lost(feed, crud));
  }
  changeCrud(client, crud.uuid, () => null);
  // How many replies are left is told by the stream, perhaps it was already.
  if (crud.reply_to_activity_uuid !== null && getStanding() !== "live") {
    changeCrud(client, crud.reply_to_activity_uuid, (parent) => ({
      ...parent,
      replies_count: Math.max(0, parent.replies_count - 1),
    }));
  }
}

/** Give a crud other counts wherever it is listed. */
export function changeCounts(client: QueryClient, uuid: string, counts: Partial<Counts>): void {
  changeCrud(client, uuid, (crud) => ({ ...crud, ...counts, uuid: crud.uuid }));
}

/**
 * List a crud that was posted just now, by anybody: among those that wait for the reader of
 * the home feed, on its author's profile, or as a reply. Several times are as once.
 */
export function takeCrud(client: QueryClient, posted: Crud): void {
  if (goneFrom(client).has(posted.uuid) || !isAlive(posted)) {
    return;
  }
  const reactions = getSession().phase === "in" ? { liked: false, reposted: false } : {};
  const crud: ListedCrud = { ...posted, ...reactions, arrived: true };
  const parent = crud.reply_to_activity_uuid;
  if (parent !== null) {
    client.setQueryData<Feed>(crudKey(parent), (feed) =>
      isComplete(feed) && !isAwaited(feed, crud) && !isListed(feed, crud)
        ? append(feed, crud)
        : undefined,
    );
    return;
  }
  if (client.getQueryData(HOME) !== undefined) {
    const none: Feed = { pages: [{ cruds: [], next: null }], pageParams: [undefined] };
    client.setQueryData<Feed>(HEAD, (feed) => prepend(feed ?? none, [crud]));
  }
  client.setQueryData<Feed>(profileKey(crud.handle), (feed) =>
    isAwaited(feed, crud) ? undefined : received(feed, crud),
  );
}

/** Whether a query is the home feed, which moves only as its reader wants it to. */
export function isHome({ queryKey }: Query): boolean {
  return hashKey(queryKey) === hashKey(HOME);
}

/** Look for new cruds anew, where more were told of than are worth keeping. */
export function limitWaiting(client: QueryClient): void {
  const waiting = client.getQueryData<Feed>(HEAD)?.pages[0]?.cruds.length ?? 0;
  if (waiting > MOST_WAITING) {
    void askSoon(client, HEAD);
  }
}

/** A crud is gone before its time, or its time is up: it fades wherever it is listed. */
export function takeGone(client: QueryClient, uuid: string): void {
  changeCrud(client, uuid, (crud) =>
    isAlive(crud) ? { ...crud, expires_at: new Date(serverNow()).toISOString() } : crud,
  );
}

/** Take the row that a repost was off its member's profile. */
export function dropRepost(client: QueryClient, uuid: string): void {
  const session = getSession();
  if (session.phase !== "in") {
    return;
  }
  const { handle } = session.user;
  client.setQueryData<Feed>(
    profileKey(handle),
    (feed) =>
      feed && {
        ...feed,
        pages: feed.pages.map((part) => ({
          ...part,
          cruds: part.cruds.filter((crud) => crud.uuid !== uuid || crud.reposted_by !== handle),
        })),
      },
  );
}

/** Change a crud wherever it is listed; null takes it out. */
export function changeCrud(
  client: QueryClient,
  uuid: string,
  change: (crud: ListedCrud) => ListedCrud | null,
): void {
  client.setQueriesData<Feed>({ queryKey: ALL }, (feed) => {
    if (!feed?.pages.some((part) => holds(part, uuid))) {
      return undefined; // it stays as it is, and as old
    }
    return { ...feed, pages: feed.pages.map((part) => changePage(part, uuid, change)) };
  });
}

function holds({ activity, cruds }: FeedPage, uuid: string): boolean {
  return activity?.uuid === uuid || cruds.some((crud) => crud.uuid === uuid);
}

function changePage(
  part: FeedPage,
  uuid: string,
  change: (crud: ListedCrud) => ListedCrud | null,
): FeedPage {
  const cruds = part.cruds.flatMap((crud) => (crud.uuid === uuid ? (change(crud) ?? []) : [crud]));
  if (part.activity?.uuid !== uuid) {
    return { ...part, cruds };
  }
  // The page of a crud that is gone keeps it, marked, so that it can say so.
  const activity = change(part.activity) ?? { ...part.activity, deleting: true };
  return { ...part, cruds, activity };
}

function prepend(feed: Feed | undefined, cruds: readonly ListedCrud[]): Feed | undefined {
  const [first, ...rest] = feed?.pages ?? [];
  if (feed === undefined || first === undefined) {
    return feed;
  }
  const known = new Set(feed.pages.flatMap((part) => part.cruds.map((crud) => crud.uuid)));
  const added = cruds.filter((crud) => !known.has(crud.uuid));
  return { ...feed, pages: [{ ...first, cruds: [...added, ...first.cruds] }, ...rest] };
}

function newestFirst(feed: Feed | undefined): Feed | undefined {
  const [first, ...rest] = feed?.pages ?? [];
  if (feed === undefined || first === undefined) {
    return feed;
  }
  const cruds = first.cruds.toSorted(
    ({ created_at: one }, { created_at: other }) => Number(one < other) - Number(one > other),
  );
  return { ...feed, pages: [{ ...first, cruds }, ...rest] };
}

function append(feed: Feed | undefined, crud: ListedCrud): Feed | undefined {
  const last = feed?.pages.at(-1);
  if (feed === undefined || last === undefined) {
    return feed;
  }
  return {
    ...feed,
    pages: [...feed.pages.slice(0, -1), { ...last, cruds: [...last.cruds, crud] }],
  };
}

/** A profile with a crud that its member posted, which counts once. */
function received(feed: Feed | undefined, crud: ListedCrud): Feed | undefined {
  return isListed(feed, crud) ? undefined : recounted(prepend(feed, [crud]), 1);
}

/** A profile without one of its member's cruds. Where not all are listed it may have it yet. */
function lost(feed: Feed | undefined, crud: Crud): Feed | undefined {
  return isComplete(feed) && !isListed(feed, crud) ? undefined : recounted(feed, -1);
}

function isListed(feed: Feed | undefined, { uuid }: Crud): boolean {
  return feed?.pages.some((part) => part.cruds.some((crud) => crud.uuid === uuid)) ?? false;
}

/** Whether a crud of this author is on its way, perhaps this one: the answer will tell. */
function isAwaited(feed: Feed | undefined, { handle }: Crud): boolean {
  const isIt = (crud: ListedCrud) => crud.pending === true && crud.handle === handle;
  return feed?.pages.some((part) => part.cruds.some(isIt)) ?? false;
}

/** Whether nothing of a list is left to be fetched. */
function isComplete(feed: Feed | undefined): boolean {
  return feed?.pages.at(-1)?.next === null;
}

function recounted(feed: Feed | undefined, by: number): Feed | undefined {
  if (feed === undefined) {
    return feed;
  }
  const pages = feed.pages.map((part) =>
    part.profile === undefined
      ? part
      : { ...part, profile: { ...part.profile, cruds_count: part.profile.cruds_count + by } },
  );
  return { ...feed, pages };
}

/** What the server will make of a draft, as far as it can be known; the key is its name. */
function draftCrud(key: string, message: string, lifetime: number): ListedCrud {
  const session = getSession();
  if (session.phase !== "in") {
    throw new Error("only members post");
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
    replies: [],
    pending: true,
  };
}

function query({ cursor }: { cursor: string | undefined }): { cursor?: string } {
  return cursor === undefined ? {} : { cursor };
}
