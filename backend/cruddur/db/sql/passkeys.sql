-- name: begin
-- Stores a challenge, which waits for its answer.
INSERT INTO passkey_challenges (
    attempt_hash, purpose, state, user_uuid, session_uuid, expires_at
)
VALUES (
    :attempt_hash,
    :purpose,
    :state,
    :user_uuid,
    :session_uuid,
    now() + :lifetime
)

-- name: create
-- Adds a passkey to a local account. No row if the authenticator's key is registered, or if the user
-- has :max_passkeys.
INSERT INTO passkeys (user_uuid, credential_id, credential, sign_count, name)
SELECT
    accounts.user_uuid,
    :credential_id,
    :credential,
    :sign_count,
    :name
FROM accounts
WHERE accounts.user_uuid = :user_uuid
  AND (
      SELECT count(*)
      FROM passkeys
      WHERE passkeys.user_uuid = :user_uuid
  ) < :max_passkeys
ON CONFLICT DO NOTHING
RETURNING
    uuid,
    created_at

-- name: credentials
-- The ids of a user's passkeys that the authenticators have chosen.
SELECT passkeys.credential_id
FROM passkeys
WHERE passkeys.user_uuid = :user_uuid

-- name: find
-- The passkey with the id that its authenticator has chosen.
SELECT
    passkeys.uuid,
    passkeys.user_uuid,
    users.handle,
    passkeys.credential
FROM passkeys
JOIN users ON users.uuid = passkeys.user_uuid
WHERE passkeys.credential_id = :credential_id

-- name: list
-- The viewer's passkeys. No row unless the viewer's session is open; one row of NULLs if there is no
-- passkey.
SELECT
    passkeys.uuid,
    passkeys.name,
    passkeys.created_at,
    passkeys.used_at
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN passkeys ON passkeys.user_uuid = viewer.uuid
ORDER BY passkeys.uuid

-- name: remove
DELETE FROM passkeys
WHERE passkeys.uuid = :uuid
  AND passkeys.user_uuid = :user_uuid

-- name: rename
-- No row if the viewer has no such passkey, or unless their session is open.
UPDATE passkeys
SET name = :name
FROM signed_in(:viewer, :session) AS viewer
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE passkeys.uuid = :uuid
  AND passkeys.user_uuid = viewer.uuid
RETURNING
    passkeys.uuid,
    passkeys.name,
    passkeys.created_at,
    passkeys.used_at

-- name: take
-- Takes a challenge, which has only one answer. No row if it has expired, was taken before, or belongs
-- to another purpose, user or session.
DELETE FROM passkey_challenges
WHERE passkey_challenges.attempt_hash = :attempt_hash
  AND passkey_challenges.purpose = :purpose
  AND passkey_challenges.user_uuid IS NOT DISTINCT FROM :user_uuid
  AND passkey_challenges.session_uuid IS NOT DISTINCT FROM :session_uuid
  AND passkey_challenges.expires_at > now()
RETURNING passkey_challenges.state

-- name: use
-- Notes that a passkey was used. No row if its counter did not increase: there may be a copy of it.
UPDATE passkeys
SET
    sign_count = :sign_count,
    used_at = now()
WHERE passkeys.uuid = :uuid
  AND (
      passkeys.sign_count < :sign_count
      OR (passkeys.sign_count = 0 AND :sign_count = 0)
  )
