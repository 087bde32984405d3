-- The person and, by foreign key, all that is theirs; the subject is remembered for as
-- long as a token of theirs could still be good.
WITH remembered AS (
    INSERT INTO deleted_subjects (issuer, subject, forget_at)
    SELECT
        users.issuer,
        users.subject,
        now() + interval '24 hours'
    FROM users
    WHERE users.uuid = :uuid
    ON CONFLICT (issuer, subject) DO UPDATE SET forget_at = EXCLUDED.forget_at
)
DELETE FROM users
WHERE users.uuid = :uuid
