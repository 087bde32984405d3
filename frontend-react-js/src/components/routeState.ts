import { useLocation } from "react-router";
import type { PendingAction } from "./memberAction";

/** What one page passes to the next, outside of the address and of the server's logs. */
export interface RouteState extends Partial<PendingAction> {
  /** An email address, or a handle. */
  readonly email?: string;
}

/** The address of this page, to return to after signing in. */
export function useHere(): string {
  const { pathname, search } = useLocation();
  return pathname + search;
}

export function useRouteState(): RouteState {
  const state: unknown = useLocation().state;
  return typeof state === "object" && state !== null ? state : {};
}
