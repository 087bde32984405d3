/** Lists that the server sends page by page. */

import type { InfiniteData } from "@tanstack/react-query";
import type { Page } from "../api/http";

/** The options of a query for such a list. Its page parameter is a cursor; the first page has none. */
export const PAGED = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last: { readonly next: string | null }) => last.next ?? undefined,
};

/** The query parameters for the page after a cursor. */
export function after(cursor: string | undefined): { cursor?: string } {
  return cursor === undefined ? {} : { cursor };
}

/** The rows of all pages so far. */
export function rowsOf<T>(
  found: InfiniteData<Page<readonly T[]>, unknown> | undefined,
): readonly T[] {
  return found?.pages.flatMap((page) => page.body) ?? [];
}
