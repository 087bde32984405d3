import type { ReactNode } from "react";
import type { FeedPage, ListedCrud } from "../queries/activities";
import { CrudCard } from "./CrudCard";
import { PagedList } from "./List";

type Query = Parameters<typeof PagedList>[0]["query"] & {
  readonly data: { readonly pages: readonly FeedPage[] } | undefined;
};

/** The cruds of a feed; `empty` where there are none. */
export function Feed({ query, empty }: { query: Query; empty: ReactNode }) {
  const cruds = rows(query.data?.pages.flatMap((part) => part.cruds) ?? []);
  const isEmpty = cruds.every((crud) => crud.deleting) && !query.hasNextPage;
  return (
    <PagedList query={query}>
      <div className="feed">
        {cruds.map((crud) => (
          <CrudCard key={rowKey(crud)} crud={crud} />
        ))}
      </div>
      {isEmpty && empty}
    </PagedList>
  );
}

/** Somebody else's repost of a crud that is listed already is another row. */
function rowKey(crud: ListedCrud): string {
  return `${crud.uuid} ${crud.reposted_by ?? ""}`;
}

/** Each row once, where it comes last: one's own reply stood at the end of what was fetched. */
function rows(cruds: readonly ListedCrud[]): readonly ListedCrud[] {
  const found = new Map<string, ListedCrud>();
  for (const crud of cruds) {
    found.delete(rowKey(crud));
    found.set(rowKey(crud), crud);
  }
  return [...found.values()];
}
