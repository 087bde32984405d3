/** Changes of a user's name and picture, which appear wherever the user does. */

import type { QueryClient } from "@tanstack/react-query";
import { updateMember, viewerUuid } from "../api/session";
import type { ShortUser } from "../api/wire";

/** Show a user's present name and picture in everything that is cached. */
export function showUser(client: QueryClient, user: ShortUser): void {
  const { display_name, avatar_url } = user;
  if (user.uuid === viewerUuid()) {
    updateMember({ display_name, avatar_url });
  }
  for (const { queryKey, state } of client.getQueryCache().getAll()) {
    const data = changed(state.data, user.handle, { display_name, avatar_url });
    if (data !== state.data) {
      client.setQueryData(queryKey, data, { updatedAt: state.dataUpdatedAt });
    }
  }
}

/** The value with a change of every object in it that shows the user; else, the value itself. */
function changed(value: unknown, handle: string, change: Partial<ShortUser>): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const before = value as Readonly<Record<string, unknown>>;
  const after = { ...before };
  for (const [key, part] of Object.entries(before)) {
    if (typeof part === "object") {
      after[key] = changed(part, handle, change);
    }
  }
  if (before.handle === handle && "avatar_url" in before) {
    Object.assign(after, change);
  }
  if (Object.keys(after).every((key) => after[key] === before[key])) {
    return value;
  }
  return Array.isArray(value) ? Object.values(after) : after;
}
