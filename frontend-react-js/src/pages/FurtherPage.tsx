import { useEffect, useState } from "react";
import { Skeleton } from "../components/List";

type Further = typeof import("./further");

let pages: Further | undefined;
let loading: Promise<Further> | undefined;

/** Load the further pages, once. A failure, such as a lost connection, is not kept. */
export function loadFurtherPages(): Promise<Further> {
  loading ??= import("./further").then(
    (loaded) => {
      pages = loaded;
      return loaded;
    },
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** One of the further pages; a skeleton until they are loaded. */
export function FurtherPage({ name }: { name: keyof Further }) {
  const [loaded, setLoaded] = useState(pages);
  const [failure, setFailure] = useState<{ readonly error: unknown }>();
  useEffect(() => {
    if (loaded === undefined) {
      loadFurtherPages().then(setLoaded, (error: unknown) => setFailure({ error }));
    }
  }, [loaded]);
  if (failure !== undefined) {
    throw failure.error; // the boundary around the page shows it
  }
  if (loaded === undefined) {
    return <Skeleton />;
  }
  const Page = loaded[name];
  return <Page />;
}
