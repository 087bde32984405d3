/** Feeds as values: pure functions that add, change and remove cruds. No cache, no network. */

import type { InfiniteData } from "@tanstack/react-query";
import type { Crud, Profile } from "../api/wire";

/** A crud as a feed lists it. */
export type ListedCrud = Omit<Crud, "replies"> & {
  /** Its own first replies, if it is a reply in a thread. */
  readonly replies?: readonly ListedCrud[];
  /** The request that posts it is still under way; its uuid is the idempotency key. */
  readonly pending?: boolean;
  /** The request that deletes it is still under way; the page hides it. */
  readonly deleting?: boolean;
  /** It was posted while the feed was open. */
  readonly arrived?: boolean;
};

/** One page of a feed. `profile` or `activity` is the subject of the whole feed. */
export interface FeedPage {
  readonly cruds: readonly ListedCrud[];
  readonly next: string | null;
  readonly profile?: Profile;
  readonly activity?: ListedCrud;
  /** What `activity` replies to, what that replies to, and so on; the oldest first. */
  readonly ancestors?: readonly ListedCrud[];
}

/** The pages fetched so far. */
export type Feed = InfiniteData<FeedPage, unknown>;

/** Returns the new version of a crud, or null to remove it. */
export type CrudChange = (crud: ListedCrud) => ListedCrud | null;

/** The replies to a crud that a thread lists below it. */
export function repliesTo(crud: ListedCrud): readonly ListedCrud[] {
  return crud.replies ?? [];
}

/** A feed without cruds. */
export const EMPTY_FEED: Feed = { pages: [{ cruds: [], next: null }], pageParams: [undefined] };

/** Whether the server has no further page. */
export function isComplete(feed: Feed | undefined): boolean {
  return feed?.pages.at(-1)?.next === null;
}

/** Whether a feed lists a crud. */
export function isListed(feed: Feed | undefined, uuid: string): boolean {
  return feed?.pages.some((page) => page.cruds.some((crud) => crud.uuid === uuid)) ?? false;
}

/** Whether a crud is anywhere in a feed: also its subject, above that, or below a listed crud. */
export function contains(feed: Feed | undefined, uuid: string): boolean {
  const isIn = (cruds: readonly ListedCrud[] = []): boolean =>
    cruds.some((crud) => crud.uuid === uuid || isIn(crud.replies));
  return (
    feed?.pages.some(
      ({ activity, ancestors, cruds }) => activity?.uuid === uuid || isIn(cruds) || isIn(ancestors),
    ) ?? false
  );
}

/** Whether a feed lists a pending crud of this author. */
export function hasPendingFrom(feed: Feed | undefined, handle: string): boolean {
  return feed?.pages.some((page) => page.cruds.some(isPendingFrom(handle))) ?? false;
}

function isPendingFrom(handle: string): (crud: ListedCrud) => boolean {
  return (crud) => crud.pending === true && crud.handle === handle;
}

/** Add cruds at the top, except those that the feed lists already. */
export function prepend(feed: Feed | undefined, cruds: readonly ListedCrud[]): Feed | undefined {
  const [first, ...rest] = feed?.pages ?? [];
  if (feed === undefined || first === undefined) {
    return feed;
  }
  const known = new Set(feed.pages.flatMap((page) => page.cruds.map((crud) => crud.uuid)));
  const added = cruds.filter((crud) => !known.has(crud.uuid));
  return { ...feed, pages: [{ ...first, cruds: [...added, ...first.cruds] }, ...rest] };
}

/** Add a crud at the end. */
export function append(feed: Feed | undefined, crud: ListedCrud): Feed | undefined {
  const last = feed?.pages.at(-1);
  if (feed === undefined || last === undefined) {
    return feed;
  }
  return {
    ...feed,
    pages: [...feed.pages.slice(0, -1), { ...last, cruds: [...last.cruds, crud] }],
  };
}

/**
 * Add a reply below the crud that it replies to, if a thread lists that crud with all its other
 * replies. Returns `undefined` if nothing changes.
 */
export function appendBelow(feed: Feed | undefined, reply: ListedCrud): Feed | undefined {
  const parent = feed?.pages
    .filter((page) => page.activity !== undefined)
    .flatMap((page) => page.cruds)
    .find((crud) => crud.uuid === reply.reply_to_activity_uuid);
  const isKnown = (crud: ListedCrud) => crud.uuid === reply.uuid;
  if (
    feed === undefined ||
    parent === undefined ||
    repliesTo(parent).length < parent.replies_count ||
    repliesTo(parent).some(isKnown) ||
    (!reply.pending && repliesTo(parent).some(isPendingFrom(reply.handle)))
  ) {
    return undefined;
  }
  return change(feed, parent.uuid, (crud) => ({ ...crud, replies: [...repliesTo(crud), reply] }));
}

/** Sort the first page by creation time, the newest first. */
export function sortFirstPage(feed: Feed | undefined): Feed | undefined {
  const [first, ...rest] = feed?.pages ?? [];
  if (feed === undefined || first === undefined) {
    return feed;
  }
  const cruds = first.cruds.toSorted(
    ({ created_at: one }, { created_at: other }) => Number(one < other) - Number(one > other),
  );
  return { ...feed, pages: [{ ...first, cruds }, ...rest] };
}

/** Change every occurrence of a crud. */
export function change(feed: Feed, uuid: string, by: CrudChange): Feed {
  return { ...feed, pages: feed.pages.map((page) => changePage(page, uuid, by)) };
}

function changePage(page: FeedPage, uuid: string, by: CrudChange): FeedPage {
  const changed = {
    ...page,
    cruds: changeIn(page.cruds, uuid, by),
    ...(page.ancestors && { ancestors: changeIn(page.ancestors, uuid, by) }),
  };
  if (page.activity?.uuid !== uuid) {
    return changed;
  }
  // The page of a removed crud keeps it, marked as deleted, so that it can say so.
  return { ...changed, activity: by(page.activity) ?? { ...page.activity, deleting: true } };
}

function changeIn(
  cruds: readonly ListedCrud[],
  uuid: string,
  by: CrudChange,
): readonly ListedCrud[] {
  return cruds.flatMap((crud) => {
    if (crud.uuid === uuid) {
      return by(crud) ?? [];
    }
    return repliesTo(crud).some((reply) => reply.uuid === uuid)
      ? [{ ...crud, replies: changeIn(repliesTo(crud), uuid, by) }]
      : [crud];
  });
}

/** Remove the cruds that `isRemoved` selects. Returns the same object if there are none. */
export function remove(feed: Feed, isRemoved: (crud: ListedCrud) => boolean): Feed {
  const isAffected = (crud: ListedCrud) => isRemoved(crud) || repliesTo(crud).some(isRemoved);
  if (!feed.pages.some(({ cruds }) => cruds.some(isAffected))) {
    return feed;
  }
  const removeFrom = (cruds: readonly ListedCrud[]): readonly ListedCrud[] =>
    cruds
      .filter((crud) => !isRemoved(crud))
      .map((crud) => (isAffected(crud) ? { ...crud, replies: removeFrom(repliesTo(crud)) } : crud));
  return {
    ...feed,
    pages: feed.pages.map((page) => ({ ...page, cruds: removeFrom(page.cruds) })),
  };
}

/** Add a crud to its author's profile and to the profile's count, unless it is listed already. */
export function addToProfile(feed: Feed | undefined, crud: ListedCrud): Feed | undefined {
  return isListed(feed, crud.uuid) ? undefined : addToCount(prepend(feed, [crud]), 1);
}

/**
 * Subtract a crud from its author's profile count. A complete profile that does not list the
 * crud has not counted it either.
 */
export function subtractFromProfile(feed: Feed | undefined, crud: Crud): Feed | undefined {
  return isComplete(feed) && !isListed(feed, crud.uuid) ? undefined : addToCount(feed, -1);
}

function addToCount(feed: Feed | undefined, difference: number): Feed | undefined {
  if (feed === undefined) {
    return feed;
  }
  const pages = feed.pages.map((page) =>
    page.profile === undefined
      ? page
      : {
          ...page,
          profile: { ...page.profile, cruds_count: page.profile.cruds_count + difference },
        },
  );
  return { ...feed, pages };
}
