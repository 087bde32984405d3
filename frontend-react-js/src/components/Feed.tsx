import { useQueryClient } from "@tanstack/react-query";
import { type ComponentType, memo, type ReactNode, useEffect, useRef, useState } from "react";
import { useLocation, useNavigationType } from "react-router";
import { onTick } from "../clock";
import { isLive, removeCrud } from "../queries/feedCache";
import type { FeedPage, ListedCrud } from "../queries/feeds";
import { CrudCard } from "./CrudCard";
import { PagedList } from "./List";
import { FAR, Nearness } from "./nearness";
import "./Feed.css";

type Query = Parameters<typeof PagedList>[0]["query"] & {
  readonly data: { readonly pages: readonly FeedPage[] } | undefined;
};

/** Cruds up to which a feed is rendered whole: searching in the page finds all of them. */
const WHOLE = 100;

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
  const [nearness] = useState(() => new Nearness());
  const isLong = cruds.length > WHOLE;
  const { feed, note } = useRestoredFocus();
  useFarExpiries(cruds);
  return (
    <PagedList query={query}>
      <div className="feed" ref={feed} onClickCapture={note}>
        {cruds.map((crud) => (
          <Row key={rowKey(crud)} crud={crud} card={Card} nearness={isLong ? nearness : null} />
        ))}
      </div>
      {isEmpty && empty}
    </PagedList>
  );
}

/**
 * A crud; in a long feed and far from the viewport, an empty box of its height. A long feed would
 * otherwise cost a second of CPU time when the viewer comes back to it. A row in use stays as it is.
 */
const Row = memo(function Row({
  crud,
  card: Card,
  nearness,
}: {
  crud: ListedCrud;
  card: ComponentType<{ crud: ListedCrud }>;
  nearness: Nearness | null;
}) {
  const name = rowKey(crud);
  const box = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(FAR.get(name));
  useEffect(
    () =>
      box.current === null || nearness === null
        ? undefined
        : nearness.observe(box.current, ({ target, isIntersecting, boundingClientRect }) => {
            if (isIntersecting) {
              FAR.delete(name);
              setHeight(undefined);
            } else if (!isInUse(target)) {
              FAR.set(name, boundingClientRect.height);
              setHeight(boundingClientRect.height);
            }
          }),
    [name, nearness],
  );
  const isFar = nearness !== null && height !== undefined;
  return (
    <div
      ref={box}
      className={isFar ? "row row-far" : "row"}
      style={isFar ? { blockSize: height } : undefined}
    >
      {!isFar && <Card crud={crud} />}
    </div>
  );
});

function isInUse(row: Element): boolean {
  return row.contains(document.activeElement) || row.querySelector("dialog") !== null;
}

/** Remove the cruds that expire far from the viewport. The others fade first. */
function useFarExpiries(cruds: readonly ListedCrud[]): void {
  const client = useQueryClient();
  useEffect(
    () =>
      onTick(() => {
        for (const crud of cruds) {
          if (FAR.has(rowKey(crud)) && !isLive(crud)) {
            removeCrud(client, crud);
          }
        }
      }),
    [client, cruds],
  );
}

/** For each entry of the history, the address of the link in its feed that was used last. */
const USED = new Map<string, string>();

/** Give the focus back to the link through which the viewer left the feed. */
function useRestoredFocus() {
  const { key } = useLocation();
  const isBack = useNavigationType() === "POP";
  const feed = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const used = isBack && USED.get(key);
    if (used) {
      const link = feed.current?.querySelector<HTMLElement>(`a[href="${CSS.escape(used)}"]`);
      link?.focus({ preventScroll: true });
    }
  }, [key, isBack]);
  const note = ({ target }: { target: EventTarget }) => {
    const element = target instanceof Element ? target : null;
    const link = element?.closest("a") ?? element?.closest("article")?.querySelector(".crud-time");
    USED.set(key, link?.getAttribute("href") ?? "");
  };
  return { feed, note };
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
