/** Parts of every long list: paging, skeleton, empty state. */

import { type ReactNode, useEffect, useRef } from "react";
import { t } from "../language";
import { Button } from "./Button";
import { ProblemNote } from "./Problem";
import "./List.css";

interface Paged {
  readonly isPending: boolean;
  readonly isError: boolean;
  readonly error: unknown;
  readonly data: unknown;
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  fetchNextPage(): unknown;
  refetch(): unknown;
}

/**
 * A paged query on screen: a skeleton while it loads, an error, or `children`. The next page is
 * fetched when the end of the list comes into view.
 */
export function PagedList({ query, children }: { query: Paged; children: ReactNode }) {
  if (query.data === undefined) {
    return query.isPending && !query.isError ? (
      <Skeleton />
    ) : (
      <div className="list-note">
        <ProblemNote error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  return (
    <>
      {children}
      {query.hasNextPage && <More query={query} />}
    </>
  );
}

/** The button for the next page, which also fetches it when it comes close to the viewport. */
export function More({ query, label = t.list.more }: { query: Paged; label?: string }) {
  const element = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const mayFetch = hasNextPage && !isFetchingNextPage && !isFetchNextPageError;
  useEffect(() => {
    if (element.current === null || !mayFetch) {
      return;
    }
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          void fetchNextPage();
        }
      },
      { rootMargin: "600px 0px" },
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [mayFetch, fetchNextPage]);
  return (
    <div className="more" ref={element}>
      {isFetchNextPageError ? (
        <ProblemNote error={query.error} retry={() => void fetchNextPage()} />
      ) : (
        <Button look="plain" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {isFetchingNextPage ? t.list.loadingMore : label}
        </Button>
      )}
    </div>
  );
}

/** Placeholder rows while a list loads. */
export function Skeleton({ rows = 5 }: { rows?: number }) {
  return (
    <div role="status" className="skeleton">
      <span className="unseen">{t.list.loading}</span>
      {Array.from({ length: rows }, (_, row) => row).map((row) => (
        <div key={row} className="skeleton-row">
          <span className="skeleton-avatar" />
          <span className="skeleton-line skeleton-name" />
          <span className="skeleton-line" />
          <span className="skeleton-line skeleton-end" />
        </div>
      ))}
    </div>
  );
}

/** The message of an empty list, with what to do about it. */
export function Empty({
  title,
  drawing,
  children,
}: {
  title: string;
  drawing?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <div className="empty">
      {drawing}
      <h2>{title}</h2>
      {children}
    </div>
  );
}
