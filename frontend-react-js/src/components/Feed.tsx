import type { ComponentType, ReactNode } from "react";
import type { FeedPage, ListedCrud } from "../queries/feeds";
import { CrudCard } from "./CrudCard";
import { PagedList } from "./List";

type Query = Parameters<typeof PagedList>[0]["query"] & {
  readonly data: { readonly pages: readonly FeedPage[] } | undefined;
};

/** The cruds of a feed, or `empty` if there are none. */
export function Feed({
  query,
  empty,
  card: Card = CrudCard,
}: {
  query: Query;
  empty: ReactNode;
  /** Renders one crud. */
  card?: ComponentType<{ crud: ListedCrud }>;
}) {
  const cruds = rows(query.data?.pages ?? []);
  const isEmpty = cruds.every((crud) => crud.deleting) && !query.hasNextPage;
  return (
    <PagedList query={query}>
      <div className="feed">
        {cruds.map((crud) => (
          <Card key={rowKey(crud)} crud={crud} />
        ))}
      </div>
      {isEmpty && empty}
    </PagedList>
  );
}

/** The same crud may appear again as a repost; that is another row. */
function rowKey(crud: ListedCrud): string {
  return `${crud.uuid} ${crud.reposted_by ?? ""}`;
}

/** Each row once, at its last position: a reply that was just posted is also on a later page. */
export function rows(pages: readonly FeedPage[]): readonly ListedCrud[] {
  const found = new Map<string, ListedCrud>();
  for (const crud of pages.flatMap((page) => page.cruds)) {
    found.delete(rowKey(crud));
    found.set(rowKey(crud), crud);
  }
  return [...found.values()];
}
