/** Blocks, mutes, and who may message the member. */

import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call, page } from "../api/http";
import type { MessagePolicy, MuteDuration, ShortUser } from "../api/wire";
import { NOTIFY_ON_ERROR } from "./client";
import { FEEDS } from "./feedCache";
import { hidePerson, refetchHidden } from "./hiding";
import { after, PAGED } from "./paging";

const LISTS = ["safety"];
const POLICY = [...LISTS, "policy"];
const listKey = (list: List) => [...LISTS, list];

/** What a member can do about another user. */
export type List = "blocks" | "mutes";

/** The users whom the member blocks or mutes, the latest first. */
export function useHiddenPeople(list: List) {
  return useInfiniteQuery({
    queryKey: listKey(list),
    queryFn: ({ pageParam, signal }) =>
      page("get", `/api/${list}`, {
        query: after(pageParam),
        signal,
      }),
    ...PAGED,
  });
}

/** Block a user. They disappear at once, and come back if the server rejects it. */
export function useBlock() {
  return useHide(({ handle }: { handle: string }) =>
    call("put", "/api/users/@{handle}/block", { path: { handle } }),
  );
}

/** Mute a user for a while, or until further notice. */
export function useMute() {
  return useHide(({ handle, duration }: { handle: string; duration: MuteDuration | null }) =>
    call("put", "/api/users/@{handle}/mute", { path: { handle }, body: { duration } }),
  );
}

function useHide<T extends { handle: string }>(mutationFn: (input: T) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onMutate: async ({ handle }) => {
      await client.cancelQueries({ queryKey: FEEDS });
      const feeds = client.getQueriesData({ queryKey: FEEDS });
      hidePerson(client, handle);
      return feeds;
    },
    onError: (_error, _input, feeds = []) => {
      for (const [queryKey, feed] of feeds) {
        client.setQueryData(queryKey, feed);
      }
    },
    onSettled: (_done, _error, { handle }) => refetchHidden(client, handle),
  });
}

/** End a block or a mute. */
export function useShow(list: List) {
  const client = useQueryClient();
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: ({ handle }: Pick<ShortUser, "handle">) =>
      call("delete", `/api/users/@{handle}/${list === "blocks" ? "block" : "mute"}`, {
        path: { handle },
      }),
    onSuccess: (_, { handle }) => refetchHidden(client, handle),
  });
}

/** Who may start a conversation with the member. */
export function usePolicy() {
  return useQuery({
    queryKey: POLICY,
    queryFn: ({ signal }) => call("get", "/api/messages/policy", { signal }),
  });
}

/** Choose who may start a conversation. Shown at once, and undone if the server rejects it. */
export function useSetPolicy() {
  const client = useQueryClient();
  return useMutation({
    meta: NOTIFY_ON_ERROR,
    mutationFn: (policy: MessagePolicy) =>
      call("put", "/api/messages/policy", { body: { policy } }),
    onMutate: async (policy) => {
      await client.cancelQueries({ queryKey: POLICY });
      const before = client.getQueryData(POLICY);
      client.setQueryData(POLICY, { policy });
      return before;
    },
    onError: (_error, _policy, before) => client.setQueryData(POLICY, before),
    onSuccess: (settings) => client.setQueryData(POLICY, settings),
  });
}
