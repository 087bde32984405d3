import type { ReactNode } from "react";
import type { FeedPage } from "../queries/activities";
import { CrudCard } from "./CrudCard";
import { PagedList } from "./List";

type Query = Parameters<typeof PagedList>[0]["query"] & {
  readonly data: { readonly pages: readonly FeedPage[] } | undefined;
};

/** The cruds of a feed; `empty` where there are none. */
export function Feed({ query, empty }: { query: Query; empty: ReactNode }) {
  const cruds = query.data?.pages.flatMap((part) => part.cruds) ?? [];
  const isEmpty = cruds.every((crud) => crud.deleting) && !query.hasNextPage;
  return (
    <PagedList query={query}>
      <div className="feed">
        {cruds.map((crud) => (
          // Somebody else's repost of a crud that is listed already is another row.
          <CrudCard key={`${crud.uuid} ${crud.reposted_by ?? ""}`} crud={crud} />
        ))}
      </div>
      {isEmpty && empty}
    </PagedList>
  );
}
