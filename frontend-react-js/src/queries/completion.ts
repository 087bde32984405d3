/** What completes a mention or a tag. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { call } from "../api/http";

/** Milliseconds for which a completion is used again. */
const FRESH = 60_000;

/** The users whose handle or name starts with a word; none for an empty word. */
export function useUsersByPrefix(prefix: string | null) {
  return useQuery({
    queryKey: ["users", "prefix", prefix],
    queryFn: ({ signal }) => call("get", "/api/users", { query: { prefix: prefix ?? "" }, signal }),
    enabled: Boolean(prefix),
    placeholderData: keepPreviousData,
    staleTime: FRESH,
    retry: false,
  });
}

/** The tags of live cruds that start with a word; none for an empty word. */
export function useTagsByPrefix(prefix: string | null) {
  return useQuery({
    queryKey: ["tags", "prefix", prefix],
    queryFn: ({ signal }) => call("get", "/api/tags", { query: { prefix: prefix ?? "" }, signal }),
    enabled: Boolean(prefix),
    placeholderData: keepPreviousData,
    staleTime: FRESH,
    retry: false,
  });
}
