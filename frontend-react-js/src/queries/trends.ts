/** The tags that live cruds use most. */

import { useQuery } from "@tanstack/react-query";
import { call } from "../api/http";

export function useTrending(enabled = true) {
  return useQuery({
    enabled,
    queryKey: ["trending"],
    queryFn: ({ signal }) => call("get", "/api/trending", { signal }),
    staleTime: 60_000,
    refetchInterval: 120_000,
  });
}
