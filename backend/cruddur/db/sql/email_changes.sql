-- name: begin
-- Starts a change of the address of an account, instead of one that waits for its code. No row if there
-- is no account, or while a reset of the password waits for its code.
INSERT INTO email_changes (user_uuid, old_email, new_email, code_hash, stop_hash, expires_at)
SELECT
    accounts.user_uuid,
    accounts.email,
    :email,
    :code_hash,
    :stop_hash,
    now() + interval '15 minutes'
FROM accounts
WHERE accounts.user_uuid = :user_uuid
  AND NOT EXISTS (
      SELECT FROM password_resets
      WHERE password_resets.user_uuid = accounts.user_uuid
        AND password_resets.expires_at > now()
  )
ON CONFLICT (user_uuid) WHERE confirmed_at IS NULL DO UPDATE
    SET
        old_email = EXCLUDED.old_email,
        new_email = EXCLUDED.new_email,
        code_hash = EXCLUDED.code_hash,
        stop_hash = EXCLUDED.stop_hash,
        created_at = EXCLUDED.created_at,
        expires_at = EXCLUDED.expires_at
RETURNING
    old_email,
    EXISTS (SELECT FROM accounts WHERE accounts.email = :email) AS is_taken

-- name: change
-- Sets the address of an account and of its user, and ends a reset whose code was sent to the old one.
-- No row if another account has the address.
WITH changed AS (
    UPDATE accounts
    SET email = :email
    WHERE accounts.user_uuid = :user_uuid
      AND NOT EXISTS (
          SELECT FROM accounts AS others
          WHERE others.email = :email
            AND others.user_uuid <> :user_uuid
      )
    RETURNING user_uuid
),
ended AS (
    DELETE FROM password_resets
    USING changed
    WHERE password_resets.user_uuid = changed.user_uuid
)
UPDATE users
SET email = :email
FROM changed
WHERE users.uuid = changed.user_uuid
RETURNING users.uuid

-- name: confirm
-- Confirms a change that waits for this code; from now on, the other code takes it back. No row if it
-- was stopped or replaced, or while a reset of the password waits for its code.
UPDATE email_changes
SET
    confirmed_at = now(),
    expires_at = now() + interval '7 days'
WHERE email_changes.uuid = :uuid
  AND email_changes.code_hash = :code_hash
  AND email_changes.confirmed_at IS NULL
  AND NOT EXISTS (
      SELECT FROM password_resets
      WHERE password_resets.user_uuid = email_changes.user_uuid
        AND password_resets.expires_at > now()
  )
RETURNING email_changes.uuid

-- name: end_later
-- Ends the changes that followed one that was taken back.
DELETE FROM email_changes
WHERE email_changes.user_uuid = :user_uuid
  AND email_changes.created_at >= :since_at::timestamptz

-- name: show
-- The address of the viewer's local account, and the one that waits for its code. No row unless the
-- viewer's session is open.
SELECT
    viewer.email,
    accounts.user_uuid IS NOT NULL AS has_account,
    email_changes.new_email
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN accounts ON accounts.user_uuid = viewer.uuid
LEFT JOIN email_changes
    ON email_changes.user_uuid = accounts.user_uuid
    AND email_changes.confirmed_at IS NULL
    AND email_changes.expires_at > now()

-- name: stop
-- Deletes the change with this code, also if it was confirmed.
DELETE FROM email_changes
WHERE email_changes.stop_hash = :stop_hash
  AND email_changes.expires_at > now()
RETURNING
    user_uuid,
    old_email,
    created_at,
    confirmed_at IS NOT NULL AS is_confirmed

-- name: waiting
SELECT
    email_changes.uuid,
    email_changes.new_email,
    email_changes.code_hash
FROM email_changes
WHERE email_changes.user_uuid = :user_uuid
  AND email_changes.confirmed_at IS NULL
  AND email_changes.expires_at > now()
