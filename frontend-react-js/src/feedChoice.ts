/** The feed that a member chose for Home, stored on the device. */

import { load, store } from "./storage";

export type HomeFeed = "everyone" | "following";

const KEY = "cruddur.feed";

/** The feed of an address or, if it names none, the one that was chosen last. */
export function chosenFeed(search: string): HomeFeed {
  const named = new URLSearchParams(search).get("feed");
  return (named ?? load(KEY)) === "following" ? "following" : "everyone";
}

export function rememberFeed(feed: HomeFeed): void {
  store(KEY, feed);
}
