-- The user is the subject of another issuer from now on. What signed them in here ends: their
-- password, their sessions, and the address that only we had.
WITH forgotten_account AS (
    DELETE FROM accounts
    WHERE accounts.user_uuid = :uuid
),
forgotten_resets AS (
    DELETE FROM password_resets
    WHERE password_resets.user_uuid = :uuid
),
closed_sessions AS (
    DELETE FROM sessions
    WHERE sessions.user_uuid = :uuid
)
UPDATE users
SET
    issuer = :issuer,
    subject = :subject,
    email = NULL
WHERE users.uuid = :uuid
