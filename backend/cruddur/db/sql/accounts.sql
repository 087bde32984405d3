-- name: begin_reset
-- Inserts a reset code for the account of an address. No row if there is no account.
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

-- name: commit_later
-- The commit does not wait for the disk, so that its duration does not show whether the
-- transaction wrote anything.
SET LOCAL synchronous_commit = off

-- name: create
-- No row if the address has an account already.
INSERT INTO accounts (user_uuid, email, password_hash)
VALUES (:user_uuid, :email, :password_hash)
ON CONFLICT (email) DO NOTHING
RETURNING user_uuid

-- name: credentials
-- The account of an address or a handle; each has its own index.
WITH found AS MATERIALIZED (
    SELECT
        accounts.user_uuid,
        accounts.email,
        accounts.password_hash
    FROM accounts
    WHERE accounts.email = :login
    UNION ALL
    SELECT
        accounts.user_uuid,
        accounts.email,
        accounts.password_hash
    FROM users
    JOIN accounts ON accounts.user_uuid = users.uuid
    WHERE users.handle = :login
)
SELECT
    found.user_uuid,
    found.email,
    found.password_hash,
    EXISTS (
        SELECT FROM second_factors
        WHERE second_factors.user_uuid = found.user_uuid
          AND second_factors.confirmed_at IS NOT NULL
    ) AS has_app,
    EXISTS (
        SELECT FROM passkeys
        WHERE passkeys.user_uuid = found.user_uuid
    ) AS has_passkeys
FROM found

-- name: end_reset
DELETE FROM password_resets
WHERE password_resets.user_uuid = :user_uuid
  AND password_resets.code_hash = :code_hash

-- name: end_resets
DELETE FROM password_resets
WHERE password_resets.user_uuid = :user_uuid

-- name: is_handle_taken
-- Whether a handle belongs to a user, or is reserved for another address.
SELECT
    EXISTS (SELECT FROM users WHERE users.handle = :handle)
    OR EXISTS (
        SELECT FROM signups
        WHERE signups.handle = :handle
          AND signups.email IS DISTINCT FROM :email
          AND signups.expires_at > now()
    )

-- name: pending
-- The latest unconfirmed sign-up of an address or a handle, whether or not the address has an
-- account, so that a sign-in does not reveal it.
SELECT signup_attempts.password_hash
FROM signups
JOIN signup_attempts ON signup_attempts.signup_uuid = signups.uuid
WHERE (signups.email = :login OR signups.handle = :login)
  AND signups.expires_at > now()
ORDER BY signup_attempts.uuid DESC
LIMIT 1

-- name: renew_code
-- Stores a new code for the latest sign-up of an address without an account.
UPDATE signup_attempts
SET
    code_hash = :code_hash,
    tries_left = DEFAULT,
    code_expires_at = now() + interval '15 minutes'
FROM signups
WHERE signups.uuid = signup_attempts.signup_uuid
  AND signup_attempts.uuid = (
      SELECT latest.uuid
      FROM signup_attempts AS latest
      JOIN signups AS waiting ON waiting.uuid = latest.signup_uuid
      WHERE waiting.email = :email
        AND waiting.expires_at > now()
        AND NOT EXISTS (SELECT FROM accounts WHERE accounts.email = :email)
      ORDER BY latest.uuid DESC
      LIMIT 1
  )
RETURNING signups.handle

-- name: reservation
-- The sign-up of another address that has reserved a handle, and its latest password.
SELECT
    signups.email,
    signup_attempts.password_hash
FROM signups
JOIN signup_attempts ON signup_attempts.signup_uuid = signups.uuid
WHERE signups.handle = :handle
  AND signups.email <> :email
  AND signups.expires_at > now()
ORDER BY signup_attempts.uuid DESC
LIMIT 1

-- name: reset_code
SELECT
    password_resets.user_uuid,
    password_resets.code_hash
FROM password_resets
JOIN accounts ON accounts.user_uuid = password_resets.user_uuid
WHERE accounts.email = :email
  AND password_resets.expires_at > now()

-- name: set_password
UPDATE accounts
SET password_hash = :password_hash
WHERE accounts.user_uuid = :user_uuid

-- name: sign_up
-- Reserves a handle for an address, and starts a sign-up with its own code. No row if the handle is
-- taken or reserved for another address than :mistyped_email. The codes of that address are deleted.
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
        WHERE signups.email IN (EXCLUDED.email, :mistyped_email)
           OR signups.expires_at <= now()
    RETURNING uuid
),
-- Three valid codes per address are enough for its owner and too few to guess.
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
    OR signup_attempts.signup_uuid IN (
        SELECT signups.uuid
        FROM signups
        WHERE signups.handle = :handle
          AND signups.email = :mistyped_email
    )
),
attempt AS (
    INSERT INTO signup_attempts (
        signup_uuid,
        display_name,
        password_hash,
        code_hash,
        code_expires_at,
        invitation_uuid,
        terms_version,
        terms_accepted_at
    )
    SELECT
        reserved.uuid,
        :display_name,
        :password_hash,
        :code_hash,
        now() + interval '15 minutes',
        :invitation_uuid,
        :terms_version::integer,
        CASE WHEN :terms_version::integer IS NOT NULL THEN now() END
    FROM reserved
)
SELECT EXISTS (SELECT FROM accounts WHERE accounts.email = :email) AS email_is_taken
FROM reserved

-- name: signup_codes
-- The pending codes of an address.
SELECT
    signup_attempts.uuid,
    signup_attempts.code_hash
FROM signup_attempts
JOIN signups ON signups.uuid = signup_attempts.signup_uuid
WHERE signups.email = :email
  AND signup_attempts.code_expires_at > now()

-- name: take_signup
-- Deletes a sign-up and the other ones of its address, and returns it.
DELETE FROM signups
USING signup_attempts
WHERE signup_attempts.uuid = :uuid
  AND signups.uuid = signup_attempts.signup_uuid
RETURNING
    signups.email,
    signups.handle,
    signup_attempts.display_name,
    signup_attempts.password_hash,
    signup_attempts.invitation_uuid,
    signup_attempts.terms_version,
    signup_attempts.terms_accepted_at
