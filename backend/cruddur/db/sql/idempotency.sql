-- name: claim
-- Inserts the key of a user and a route. A second transaction with the same key waits here for the
-- first one to end, then gets no row.
INSERT INTO idempotency_keys (member, route, key, body_digest)
VALUES (:member, :route, :key, :body_digest)
ON CONFLICT (member, route, key) DO NOTHING
RETURNING uuid

-- name: keep
INSERT INTO idempotency_answers (key_uuid, activity_uuid, message_uuid, answer)
VALUES (:key_uuid, :activity_uuid, :message_uuid, :answer)

-- name: show
-- The stored response of a key; NULL if the crud or message that it shows was deleted or has
-- expired.
SELECT
    idempotency_keys.body_digest,
    idempotency_answers.answer
FROM idempotency_keys
LEFT JOIN idempotency_answers
    ON idempotency_answers.key_uuid = idempotency_keys.uuid
    AND (
        idempotency_answers.activity_uuid IS NULL
        OR EXISTS (
            SELECT FROM live_activities
            WHERE live_activities.uuid = idempotency_answers.activity_uuid
        )
    )
    AND (
        idempotency_answers.message_uuid IS NULL
        OR EXISTS (
            SELECT FROM live_messages
            WHERE live_messages.uuid = idempotency_answers.message_uuid
        )
    )
WHERE idempotency_keys.member = :member
  AND idempotency_keys.route = :route
  AND idempotency_keys.key = :key
