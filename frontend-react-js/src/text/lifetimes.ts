/** The lifetimes that a crud can have. */

import type { Ttl } from "../api/wire";

/** What the instance prefers and allows, until it is known. */
export const DEFAULT_TTL: Ttl = "7-days";

/** In hours, the longest first. */
export const LIFETIMES: Record<Ttl, number> = {
  "30-days": 30 * 24,
  "7-days": 7 * 24,
  "3-days": 3 * 24,
  "1-day": 24,
  "12-hours": 12,
  "3-hours": 3,
  "1-hour": 1,
};

export const MAX_TTL: Ttl = "30-days";

export const TTLS = Object.keys(LIFETIMES) as readonly Ttl[];

/** The lifetimes that are not longer than another one. */
export function ttlsUpTo(max: Ttl): readonly Ttl[] {
  return TTLS.filter((ttl) => LIFETIMES[ttl] <= LIFETIMES[max]);
}

/** Whether a stored value is a lifetime. */
export function isTtl(value: unknown): value is Ttl {
  return typeof value === "string" && Object.hasOwn(LIFETIMES, value);
}
