/** Likes and reposts: shown at once, undone if the server rejects them. */

import { useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import type { Crud } from "../api/wire";
import { cancelFeedRequests, changeCounts, changeCrud, removeRepost } from "./feedCache";
import { useSwitch } from "./switches";

type Reaction = "like" | "repost";

const FIELDS = {
  like: { done: "liked", count: "likes_count" },
  repost: { done: "reposted", count: "reposts_count" },
} as const;

/** Turn a reaction on or off. Several presses on one crud reach the server in order. */
export function useReaction(reaction: Reaction, crud: Crud) {
  const client = useQueryClient();
  const { done, count } = FIELDS[reaction];
  const show = (on: boolean) =>
    changeCrud(client, crud.uuid, (found) =>
      (found[done] ?? false) === on
        ? found
        : { ...found, [done]: on, [count]: Math.max(0, found[count] + (on ? 1 : -1)) },
    );
  return useSwitch([reaction, crud.uuid], {
    send: (on) =>
      call(on ? "put" : "delete", `/api/activities/{uuid}/${reaction}`, {
        path: { uuid: crud.uuid },
      }),
    prepare: () => cancelFeedRequests(client),
    show,
    onSuccess: (counts, isLatest) => {
      if (isLatest) {
        const { [done]: on, [count]: total } = counts;
        changeCounts(client, crud.uuid, { [done]: on, [count]: total });
        if (!counts.reposted) {
          removeRepost(client, crud.uuid);
        }
      }
    },
  });
}
