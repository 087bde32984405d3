/** Looking now and then, where nothing is told. */

import { useSyncExternalStore } from "react";
import { getStanding, onStanding } from "../api/stream";

/** How often to look for what the stream tells while it is there: not at all then. */
export function usePolling(milliseconds: number): number | false {
  return useSyncExternalStore(onStanding, () => getStanding() === "live") ? false : milliseconds;
}

/** Whether the page is behind: the stream was there, and is not for a while now. */
export function useIsBehind(): boolean {
  return useSyncExternalStore(onStanding, () => getStanding() === "lost");
}
