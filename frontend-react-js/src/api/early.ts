/** The home feed, requested before the main script has loaded. */

import { chosenFeed } from "../feedChoice";
import { type Page, page } from "./http";
import type { Answer } from "./wire";

type Home = Page<Answer<"get", "/api/activities/home">>;

let home: Promise<Home> | undefined;
let position: Promise<string> | undefined;

/** Request the home feed if this is its page. */
export function requestEarly(): void {
  if (location.pathname === "/" && chosenFeed(location.search) === "everyone") {
    home = page("get", "/api/activities/home", { wantsPosition: true });
    position = home.then(
      (found) => found.position ?? "",
      () => "", // the page requests the feed again
    );
  }
}

/** The response to the early request, once; undefined if there was none. */
export function takeHome(): Promise<Home> | undefined {
  const taken = home;
  home = undefined;
  return taken;
}

/**
 * The id of the event after which the stream starts, so that the feed misses nothing; "" if it is
 * unknown, and undefined if there was no early request.
 */
export function startPosition(): Promise<string> | undefined {
  return position;
}
