/** Likes and reposts: shown at once, taken back if the server refuses. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/http";
import type { Crud } from "../api/wire";
import { changeCounts, changeCrud, dropRepost, holdFeeds } from "./activities";
import { TOLD } from "./client";

type Reaction = "like" | "repost";

const FIELDS = {
  like: { done: "liked", count: "likes_count" },
  repost: { done: "reposted", count: "reposts_count" },
} as const;

/** Turn a reaction on or off. Several presses on one crud reach the server in their order. */
export function useReaction(reaction: Reaction, crud: Crud) {
  const client = useQueryClient();
  const { done, count } = FIELDS[reaction];
  const mutationKey = [reaction, crud.uuid];
  // What was pressed last is what is shown, until the server has answered that.
  const isLatest = () => client.isMutating({ mutationKey }) === 1;
  const show = (on: boolean) =>
    changeCrud(client, crud.uuid, (found) =>
      (found[done] ?? false) === on
        ? found
        : { ...found, [done]: on, [count]: Math.max(0, found[count] + (on ? 1 : -1)) },
    );
  return useMutation({
    meta: TOLD,
    mutationKey,
    scope: { id: mutationKey.join(" ") },
    mutationFn: (on: boolean) =>
      call(on ? "put" : "delete", `/api/activities/{uuid}/${reaction}`, {
        path: { uuid: crud.uuid },
      }),
    onMutate: async (on) => {
      await holdFeeds(client);
      show(on);
    },
    onError: (_, on) => {
      if (isLatest()) {
        show(!on);
      }
    },
    onSuccess: (counts) => {
      if (isLatest()) {
        const { [done]: on, [count]: total } = counts;
        changeCounts(client, crud.uuid, { [done]: on, [count]: total });
        if (!counts.reposted) {
          dropRepost(client, crud.uuid);
        }
      }
    },
  });
}
