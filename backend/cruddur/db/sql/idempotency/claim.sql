-- Takes a key for a member and a route. A second taker waits here for the first one's
-- transaction to end, then gets no row.
INSERT INTO idempotency_keys (member, route, key, body_digest)
VALUES (:member, :route, :key, :body_digest)
ON CONFLICT (member, route, key) DO NOTHING
RETURNING uuid
