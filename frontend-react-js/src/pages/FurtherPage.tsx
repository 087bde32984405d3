import { type ComponentProps, type ComponentType, useEffect, useState } from "react";
import { Skeleton } from "../components/List";

type Further = typeof import("./further");

/** The name of a page, with the properties that the page needs. */
type Named<Name extends keyof Further> = Name extends Name
  ? { readonly name: Name } & ComponentProps<Further[Name]>
  : never;

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
export function FurtherPage({ name, ...props }: Named<keyof Further>) {
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
  const Page = loaded[name] as ComponentType<object>; // `Named` lets through what the page needs
  return <Page {...props} />;
}
