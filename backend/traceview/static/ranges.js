// The time ranges that the query page offers, from short to long.

/** The range of a query that names none. */
export const DEFAULT_RANGE = "1h";

/** @type {readonly { since: string, name: string, length: string, ms: number }[]} */
export const RANGES = [
  { since: "5m", name: "Last 5 minutes", length: "5 minutes", ms: 300_000 },
  { since: "15m", name: "Last 15 minutes", length: "15 minutes", ms: 900_000 },
  { since: DEFAULT_RANGE, name: "Last hour", length: "an hour", ms: 3_600_000 },
  { since: "6h", name: "Last 6 hours", length: "6 hours", ms: 21_600_000 },
  { since: "24h", name: "Last 24 hours", length: "24 hours", ms: 86_400_000 },
  { since: "3d", name: "Last 3 days", length: "3 days", ms: 259_200_000 },
];
