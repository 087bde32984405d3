import { useLocation } from "react-router";
import type { Errand } from "./acting";

/** What one page hands to the next, out of sight of addresses and of the server's logs. */
export interface Passed extends Partial<Errand> {
  /** An e-mail address, or a handle. */
  readonly email?: string;
}

export function usePassed(): Passed {
  const state: unknown = useLocation().state;
  return typeof state === "object" && state !== null ? state : {};
}
