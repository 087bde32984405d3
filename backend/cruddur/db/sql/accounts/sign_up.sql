-- Reserves a handle for an address. No row when somebody has the handle or waits for it;
-- the same address may try again with it, and keeps the password it chose first.
INSERT INTO signups (
    email, handle, display_name, password_hash, code_hash, tries_left, code_expires_at, expires_at
)
SELECT
    :email,
    :handle,
    :display_name,
    :password_hash,
    :code_hash,
    :tries,
    now() + interval '15 minutes',
    now() + interval '24 hours'
WHERE NOT EXISTS (SELECT FROM users WHERE users.handle = :handle)
ON CONFLICT (handle) DO UPDATE
    SET
        email = EXCLUDED.email,
        display_name = CASE
            WHEN signups.expires_at > now() THEN signups.display_name
            ELSE EXCLUDED.display_name
        END,
        password_hash = CASE
            WHEN signups.expires_at > now() THEN signups.password_hash
            ELSE EXCLUDED.password_hash
        END,
        code_hash = EXCLUDED.code_hash,
        tries_left = EXCLUDED.tries_left,
        code_expires_at = EXCLUDED.code_expires_at,
        expires_at = EXCLUDED.expires_at
    WHERE signups.email = EXCLUDED.email
       OR signups.expires_at <= now()
RETURNING EXISTS (SELECT FROM accounts WHERE accounts.email = :email) AS email_is_taken
