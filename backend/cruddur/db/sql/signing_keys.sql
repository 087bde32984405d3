-- name: create
INSERT INTO signing_keys (kid, private_key)
VALUES (:kid, :private_key)

-- name: delete_replaced
DELETE FROM signing_keys
WHERE EXISTS (
    SELECT FROM signing_keys AS successors
    WHERE
        successors.created_at > signing_keys.created_at
        AND successors.created_at <= now() - :lifetime::interval
)

-- name: list
-- The newest key that is old enough signs; until one is, the oldest.
SELECT signing_keys.private_key
FROM signing_keys
ORDER BY
    signing_keys.created_at <= now() - :settle::interval DESC,
    CASE
        WHEN signing_keys.created_at <= now() - :settle::interval THEN signing_keys.created_at
    END DESC,
    signing_keys.created_at,
    signing_keys.kid

-- name: lock
-- Blocks other writers, but no readers, until the transaction ends.
LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE
