-- Reserves a handle for an address and begins an attempt with a code of its own. No row
-- when somebody has the handle or waits for it; the same address may try again.
WITH reserved AS (
    INSERT INTO signups (email, handle, expires_at)
    SELECT
        :email,
        :handle,
        now() + interval '24 hours'
    WHERE NOT EXISTS (SELECT FROM users WHERE users.handle = :handle)
    ON CONFLICT (handle) DO UPDATE
        SET
            email = EXCLUDED.email,
            expires_at = EXCLUDED.expires_at
        WHERE signups.email = EXCLUDED.email
           OR signups.expires_at <= now()
    RETURNING uuid
),
-- Three codes at once are enough for anybody, and few enough not to be guessed.
outdated AS (
    DELETE FROM signup_attempts
    WHERE signup_attempts.uuid IN (
        SELECT earlier.uuid
        FROM signup_attempts AS earlier
        JOIN signups ON signups.uuid = earlier.signup_uuid
        WHERE signups.email = :email
           OR signups.handle = :handle AND signups.expires_at <= now()
        ORDER BY earlier.uuid DESC
        OFFSET 2
    )
),
attempt AS (
    INSERT INTO signup_attempts (
        signup_uuid, display_name, password_hash, code_hash, code_expires_at
    )
    SELECT
        reserved.uuid,
        :display_name,
        :password_hash,
        :code_hash,
        now() + interval '15 minutes'
    FROM reserved
)
SELECT EXISTS (SELECT FROM accounts WHERE accounts.email = :email) AS email_is_taken
FROM reserved
