/** The cached feeds: their keys, and the changes that reach every feed that lists a crud. */

import { hashKey, type Query, type QueryClient } from "@tanstack/react-query";
import { getSession } from "../api/session";
import { getStreamState } from "../api/stream";
import type { Counts, Crud } from "../api/wire";
import { serverNow } from "../clock";
import { hasData, refetchSoon } from "./client";
import {
  addToProfile,
  append,
  appendBelow,
  type CrudChange,
  change,
  contains,
  EMPTY_FEED,
  type Feed,
  hasPendingFrom,
  isComplete,
  isListed,
  type ListedCrud,
  prepend,
  remove,
  subtractFromProfile,
} from "./feeds";

/** The first part of the key of every feed. */
export const FEEDS = ["activities"];
/** The home feed as the viewer sees it. */
export const HOME = [...FEEDS, "home"];
/** The newest cruds, of which some may not be in the home feed yet. */
export const HEAD = [...FEEDS, "head"];
/** What the member follows, as the member sees it, and the newest part of it. */
export const FOLLOWING = [...FEEDS, "following"];
export const FOLLOWING_HEAD = [...FEEDS, "following head"];
export const profileKey = (handle: string) => [...FEEDS, "profile", handle.toLowerCase()];
export const crudKey = (uuid: string) => [...FEEDS, "crud", uuid];
export const searchKey = (term: string) => [...FEEDS, "search", term];

/** Length of the head feed above which it is fetched again from the server. */
const MAX_HEAD = 100;

/** The uuids of removed cruds. A response that was under way may still contain them. */
const REMOVED = new WeakMap<QueryClient, Set<string>>();

function removedFrom(client: QueryClient): Set<string> {
  const known = REMOVED.get(client) ?? new Set();
  REMOVED.set(client, known);
  return known;
}

/** Return a feed without the cruds that were removed since the page was loaded. */
export function withoutRemoved(client: QueryClient, feed: Feed): Feed {
  const removed = removedFrom(client);
  return remove(feed, ({ uuid }) => removed.has(uuid));
}

/** Cancel feed requests under way: their responses would undo the change that follows. */
export function cancelFeedRequests(client: QueryClient): Promise<void> {
  return client.cancelQueries({ queryKey: FEEDS, predicate: hasData });
}

/** Whether a crud has not expired, by the server's clock. */
export function isLive({ expires_at }: Crud): boolean {
  return expires_at === null || Date.parse(expires_at) > serverNow();
}

/** Change a crud in every cached feed. */
export function changeCrud(client: QueryClient, uuid: string, by: CrudChange): void {
  client.setQueriesData<Feed>({ queryKey: FEEDS }, (feed) =>
    // `undefined` leaves the feed and its age as they are.
    feed !== undefined && contains(feed, uuid) ? change(feed, uuid, by) : undefined,
  );
}

/** Set the counts of a crud in every cached feed. */
export function changeCounts(client: QueryClient, uuid: string, counts: Partial<Counts>): void {
  changeCrud(client, uuid, (crud) => ({ ...crud, ...counts, uuid: crud.uuid }));
}

/** Add a reply to every cached thread that lists the crud it replies to. */
export function addBelow(client: QueryClient, reply: ListedCrud): void {
  client.setQueriesData<Feed>({ queryKey: FEEDS }, (feed) => appendBelow(feed, reply));
}

/** Change the number of replies of a crud in every cached feed. */
export function addReplies(client: QueryClient, uuid: string, difference: number): void {
  changeCrud(client, uuid, (crud) => ({
    ...crud,
    replies_count: Math.max(0, crud.replies_count + difference),
  }));
}

/** Remove an expired or deleted crud from every feed, and from the counts that include it. */
export function removeCrud(client: QueryClient, crud: Crud): void {
  if (removedFrom(client).has(crud.uuid)) {
    return; // another row of the same crud was removed first
  }
  removedFrom(client).add(crud.uuid);
  const parent = crud.reply_to_activity_uuid;
  if (parent === null) {
    client.setQueryData<Feed>(profileKey(crud.handle), (feed) => subtractFromProfile(feed, crud));
  }
  changeCrud(client, crud.uuid, () => null);
  // A live stream sends the parent's new count, and may have sent it already.
  if (parent !== null && getStreamState() !== "live") {
    addReplies(client, parent, -1);
  }
}

/**
 * Add a crud that any user just posted: to the head feed, to its author's profile, or to the
 * replies of its parent. Adding it twice has no further effect.
 */
export function insertPosted(client: QueryClient, posted: Crud): void {
  if (removedFrom(client).has(posted.uuid) || !isLive(posted)) {
    return;
  }
  const reactions = getSession().phase === "in" ? { liked: false, reposted: false } : {};
  const crud: ListedCrud = { ...posted, ...reactions, arrived: true };
  const parent = crud.reply_to_activity_uuid;
  // A pending crud of the same author may be this one; the response to its request adds it.
  if (parent !== null) {
    client.setQueryData<Feed>(crudKey(parent), (feed) =>
      isComplete(feed) && !hasPendingFrom(feed, crud.handle) && !isListed(feed, crud.uuid)
        ? append(feed, crud)
        : undefined,
    );
    addBelow(client, crud);
    return;
  }
  if (client.getQueryData(HOME) !== undefined) {
    client.setQueryData<Feed>(HEAD, (feed) => prepend(feed ?? EMPTY_FEED, [crud]));
  }
  client.setQueryData<Feed>(profileKey(crud.handle), (feed) =>
    hasPendingFrom(feed, crud.handle) ? undefined : addToProfile(feed, crud),
  );
}

/** Add a crud that the member follows to the newest part of their feed. */
export function insertFollowed(client: QueryClient, posted: Crud): void {
  const isKnown = client.getQueryData(FOLLOWING) !== undefined;
  if (isKnown && !removedFrom(client).has(posted.uuid) && isLive(posted)) {
    const crud = { liked: false, reposted: false, ...posted, arrived: true };
    client.setQueryData<Feed>(FOLLOWING_HEAD, (feed) => prepend(feed ?? EMPTY_FEED, [crud]));
  }
}

/** Forget the newest part of what the member follows: it may list whom they have just unfollowed. */
export function emptyFollowingHead(client: QueryClient): void {
  client.setQueryData<Feed>(FOLLOWING_HEAD, (feed) => feed && EMPTY_FEED);
}

/** Whether a query is a feed of Home, which moves only when its viewer asks for it. */
export function isHome({ queryKey }: Query): boolean {
  return [HOME, FOLLOWING].some((key) => hashKey(queryKey) === hashKey(key));
}

/** Fetch the head feed again once the stream has added too many cruds to it. */
export function limitHead(client: QueryClient): void {
  const count = client.getQueryData<Feed>(HEAD)?.pages[0]?.cruds.length ?? 0;
  if (count > MAX_HEAD) {
    void refetchSoon(client, HEAD);
  }
}

/** Let a crud that the server removed expire now, so that it fades in every feed. */
export function expireCrud(client: QueryClient, uuid: string): void {
  changeCrud(client, uuid, (crud) =>
    isLive(crud) ? { ...crud, expires_at: new Date(serverNow()).toISOString() } : crud,
  );
}

/** Remove the row of an undone repost from the viewer's own profile. */
export function removeRepost(client: QueryClient, uuid: string): void {
  const session = getSession();
  if (session.phase !== "in") {
    return;
  }
  const { handle } = session.user;
  client.setQueryData<Feed>(
    profileKey(handle),
    (feed) => feed && remove(feed, (crud) => crud.uuid === uuid && crud.reposted_by === handle),
  );
}
