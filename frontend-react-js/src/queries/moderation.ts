/** The queue of moderators, a case with its evidence, and decisions. */

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { call, page } from "../api/http";
import type { AppealDecisionDraft, DecisionDraft } from "../api/wire";
import { after, PAGED } from "./paging";

const MODERATION = ["moderation"];

/** Milliseconds between two requests for the open queue. The stream has no event for reports. */
const REFETCH_EVERY = 15_000;

/** The cases, those that wait for a decision first. */
export function useCases() {
  return useInfiniteQuery({
    queryKey: [...MODERATION, "cases"],
    queryFn: ({ pageParam, signal }) =>
      page("get", "/api/moderation/cases", {
        query: after(pageParam),
        signal,
      }),
    ...PAGED,
    staleTime: 0,
    refetchInterval: REFETCH_EVERY,
  });
}

/**
 * A case with its evidence; further pages have earlier copies. The server records each look at it,
 * so it is not read again.
 */
export function useCase(uuid: string) {
  return useInfiniteQuery({
    queryKey: [...MODERATION, "case", uuid],
    queryFn: ({ pageParam, signal }) =>
      page("get", "/api/moderation/cases/{uuid}", {
        path: { uuid },
        query: after(pageParam),
        signal,
      }),
    ...PAGED,
    gcTime: 0,
    refetchOnReconnect: false,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useDecide(uuid: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: DecisionDraft) =>
      call("post", "/api/moderation/cases/{uuid}/decisions", { path: { uuid }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: MODERATION }),
  });
}

/** Decide about an appeal; the uuid is that of the decision. */
export function useDecideAppeal(uuid: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: AppealDecisionDraft) =>
      call("post", "/api/moderation/appeals/{uuid}", { path: { uuid }, body }),
    onSuccess: () => client.invalidateQueries({ queryKey: MODERATION }),
  });
}
