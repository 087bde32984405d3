-- A reset code for the account of an address; no row when there is none.
INSERT INTO password_resets (user_uuid, code_hash, expires_at)
SELECT
    accounts.user_uuid,
    :code_hash,
    now() + interval '15 minutes'
FROM accounts
WHERE accounts.email = :email
ON CONFLICT (user_uuid) DO UPDATE
    SET
        code_hash = EXCLUDED.code_hash,
        tries_left = DEFAULT,
        expires_at = EXCLUDED.expires_at
RETURNING user_uuid
