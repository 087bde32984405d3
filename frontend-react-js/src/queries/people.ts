/** Changes of users, which appear wherever the user does. */

import type { QueryClient } from "@tanstack/react-query";
import { updateMember, viewerUuid } from "../api/session";
import type { ShortUser } from "../api/wire";

/** Show a user's present name and picture in everything that is cached. */
export function showUser(client: QueryClient, user: ShortUser): void {
  const { display_name, avatar_url } = user;
  if (user.uuid === viewerUuid()) {
    updateMember({ display_name, avatar_url });
  }
  changeShown(client, (found) =>
    found.handle === user.handle && "avatar_url" in found
      ? { display_name, avatar_url }
      : undefined,
  );
}

type Found = Readonly<Record<string, unknown>>;

/** Change every object in everything that is cached for which `by` returns a change. */
export function changeShown(client: QueryClient, by: (found: Found) => Found | undefined): void {
  for (const { queryKey, state } of client.getQueryCache().getAll()) {
    const data = changed(state.data, by);
    if (data !== state.data) {
      client.setQueryData(queryKey, data, { updatedAt: state.dataUpdatedAt });
    }
  }
}

/** The value with a change of every object in it for which `by` returns one; else, the value itself. */
function changed(value: unknown, by: (found: Found) => Found | undefined): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const before = value as Found;
  const after: Record<string, unknown> = { ...before };
  for (const [key, part] of Object.entries(before)) {
    if (typeof part === "object") {
      after[key] = changed(part, by);
    }
  }
  Object.assign(after, by(before));
  if (Object.keys(after).every((key) => after[key] === before[key])) {
    return value;
  }
  return Array.isArray(value) ? Object.values(after) : after;
}
