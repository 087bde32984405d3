/** What happens to the cache when a user is hidden from the member, or shown again. */

import type { QueryClient } from "@tanstack/react-query";
import type { Hidden } from "../api/wire";
import { refresh } from "./client";
import { FEEDS } from "./feedCache";
import { type Feed, type ListedCrud, remove } from "./feeds";

/** Apply an event of the stream: another tab, or the other user, blocked or muted someone. */
export function applyHidden(client: QueryClient, { handle, hidden }: Hidden): void {
  if (hidden) {
    hidePerson(client, handle);
  }
  refetchHidden(client, handle);
}

/** Remove what a user wrote from every feed. */
export function hidePerson(client: QueryClient, handle: string): void {
  client.setQueriesData<Feed>({ queryKey: FEEDS }, (feed) => feed && removePerson(feed, handle));
}

/** Fetch everything again after a user was hidden or shown; pages about them from the beginning. */
export function refetchHidden(client: QueryClient, handle: string): void {
  void client.resetQueries({
    queryKey: FEEDS,
    predicate: ({ state }) => isAbout(state.data as Feed | undefined, handle),
  });
  refresh(client);
}

/** Remove what a user wrote or reposted, except from a page that is about them. */
export function removePerson(feed: Feed, handle: string): Feed {
  const isTheirs = (crud: ListedCrud) => crud.handle === handle || crud.reposted_by === handle;
  const left = remove(feed, isTheirs);
  const [first, ...rest] = left.pages;
  return first?.ancestors?.some(isTheirs)
    ? { ...left, pages: [{ ...first, ancestors: belowLast(first.ancestors, isTheirs) }, ...rest] }
    : left;
}

function belowLast(
  cruds: readonly ListedCrud[],
  isRemoved: (crud: ListedCrud) => boolean,
): readonly ListedCrud[] {
  return cruds.slice(cruds.findLastIndex(isRemoved) + 1);
}

/** Whether a feed is the profile of a user, or the page of one of their cruds. */
export function isAbout(feed: Feed | undefined, handle: string): boolean {
  const first = feed?.pages[0];
  return first?.profile?.handle === handle || first?.activity?.handle === handle;
}
