import {
  type ComponentProps,
  type ComponentType,
  type ReactNode,
  useEffect,
  useState,
} from "react";
import { Skeleton } from "./List";

type Loaded = typeof import("../further");
/** Everything in it but functions. */
type Components = Omit<Loaded, "applyHidden" | "expireMessage" | "openMenu">;

/** The name of a component, with the properties that it needs. */
type Named<Name extends keyof Components> = Name extends Name
  ? { readonly name: Name } & ComponentProps<Components[Name]>
  : never;

let components: Loaded | undefined;
let loading: Promise<Loaded> | undefined;

/** Load the further components, once. A failure, such as a lost connection, is not kept. */
export function loadFurther(): Promise<Loaded> {
  loading ??= import("../further").then(
    (loaded) => {
      components = loaded;
      return loaded;
    },
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** One of the further components; `fallback` until they are loaded. */
export function Further({
  name,
  fallback = <Skeleton />,
  ...props
}: Named<keyof Components> & { readonly fallback?: ReactNode }) {
  const [loaded, setLoaded] = useState(components);
  const [failure, setFailure] = useState<{ readonly error: unknown }>();
  useEffect(() => {
    if (loaded === undefined) {
      loadFurther().then(setLoaded, (error: unknown) => setFailure({ error }));
    }
  }, [loaded]);
  if (failure !== undefined) {
    throw failure.error; // the boundary around it shows it
  }
  if (loaded === undefined) {
    return fallback;
  }
  const Component = loaded[name] as ComponentType<object>; // `Named` lets through what it needs
  return <Component {...props} />;
}

/** Whether the page has loaded, and the browser has been idle since. */
export function useIsIdle(): boolean {
  const [isIdle, setIdle] = useState(false);
  useEffect(() => {
    const wait = window.requestIdleCallback ?? setTimeout; // none in Safari
    const start = () => wait(() => setIdle(true));
    if (document.readyState === "complete") {
      start();
    } else {
      addEventListener("load", start, { once: true });
    }
    return () => removeEventListener("load", start);
  }, []);
  return isIdle;
}
