/** Polling while the stream is down. */

import { useSyncExternalStore } from "react";
import { getStreamState, onStreamState } from "../api/stream";

/** The polling interval for data that the stream keeps up to date: none while it is live. */
export function usePolling(milliseconds: number): number | false {
  return useSyncExternalStore(onStreamState, () => getStreamState() === "live")
    ? false
    : milliseconds;
}

/** Whether the page may be out of date: the stream has been down for a while. */
export function useIsBehind(): boolean {
  return useSyncExternalStore(onStreamState, () => getStreamState() === "lost");
}
