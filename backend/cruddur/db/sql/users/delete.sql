-- Deletes a person and, by foreign key, everything that belongs to them. Sign-ups and keys of
-- sign-ups refer to the e-mail address only. The subject is remembered for as long as one of
-- its tokens may be valid.
WITH remembered AS (
    INSERT INTO deleted_subjects (issuer, subject, forget_at)
    SELECT
        users.issuer,
        users.subject,
        now() + interval '24 hours'
    FROM users
    WHERE users.uuid = :uuid
    ON CONFLICT (issuer, subject) DO UPDATE SET forget_at = EXCLUDED.forget_at
),
unreserved AS (
    DELETE FROM signups
    USING users
    WHERE users.uuid = :uuid
      AND signups.email IN (users.email, lower(users.email))
),
forgotten AS (
    DELETE FROM idempotency_keys
    USING users
    WHERE users.uuid = :uuid
      AND idempotency_keys.member IN (users.email, lower(users.email), users.uuid::text)
)
DELETE FROM users
WHERE users.uuid = :uuid
