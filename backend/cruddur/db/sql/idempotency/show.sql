-- What was answered the first time; no answer when what it quotes is gone.
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
WHERE idempotency_keys.member = :member
  AND idempotency_keys.route = :route
  AND idempotency_keys.key = :key
