-- name: begin
-- Stores the secret of a second factor that is not confirmed yet. No row if there is a confirmed one,
-- or no account.
INSERT INTO second_factors (user_uuid, sealed_secret, key_digest)
SELECT
    accounts.user_uuid,
    :sealed_secret,
    :key_digest
FROM accounts
WHERE accounts.user_uuid = :user_uuid
ON CONFLICT (user_uuid) DO UPDATE
    SET
        sealed_secret = EXCLUDED.sealed_secret,
        key_digest = EXCLUDED.key_digest,
        used_step = DEFAULT
    WHERE second_factors.confirmed_at IS NULL
RETURNING user_uuid

-- name: confirm
-- No row if the second factor was confirmed before, or has another secret since.
UPDATE second_factors
SET
    confirmed_at = now(),
    used_step = :step
WHERE second_factors.user_uuid = :user_uuid
  AND second_factors.sealed_secret = :sealed_secret
  AND second_factors.confirmed_at IS NULL

-- name: create_codes
-- Stores recovery codes. No row if the user has some.
INSERT INTO recovery_codes (user_uuid, code_hash)
SELECT
    :user_uuid,
    hash
FROM unnest(:code_hashes::bytea[]) AS hash
WHERE NOT EXISTS (
    SELECT FROM recovery_codes
    WHERE recovery_codes.user_uuid = :user_uuid
)

-- name: lock
-- Serializes the changes of a user's second factors.
SELECT accounts.user_uuid
FROM accounts
WHERE accounts.user_uuid = :user_uuid
FOR NO KEY UPDATE

-- name: remove
DELETE FROM second_factors
WHERE second_factors.user_uuid = :user_uuid
  AND second_factors.confirmed_at IS NOT NULL

-- name: remove_codes
-- Deletes the recovery codes of a user whose last second factor was removed.
DELETE FROM recovery_codes
WHERE recovery_codes.user_uuid = :user_uuid
  AND NOT EXISTS (
      SELECT FROM passkeys
      WHERE passkeys.user_uuid = :user_uuid
  )
  AND NOT EXISTS (
      SELECT FROM second_factors
      WHERE second_factors.user_uuid = :user_uuid
        AND second_factors.confirmed_at IS NOT NULL
  )

-- name: reseal
-- Replaces encrypted secrets, unless another worker has replaced them.
UPDATE second_factors
SET
    sealed_secret = fresh.sealed_secret,
    key_digest = :key_digest
FROM unnest(:user_uuids::uuid[], :old_secrets::bytea[], :new_secrets::bytea[])
    AS fresh (user_uuid, old_secret, sealed_secret)
WHERE second_factors.user_uuid = fresh.user_uuid
  AND second_factors.sealed_secret = fresh.old_secret

-- name: sealed_before
-- The secrets that another key than the present one has encrypted.
SELECT
    second_factors.user_uuid,
    second_factors.sealed_secret
FROM second_factors
WHERE second_factors.key_digest <> :key_digest

-- name: secret
SELECT
    second_factors.sealed_secret,
    second_factors.confirmed_at IS NOT NULL AS is_confirmed
FROM second_factors
WHERE second_factors.user_uuid = :user_uuid

-- name: status
-- No row unless the viewer's session is open.
SELECT
    viewer.uuid,
    accounts.user_uuid IS NOT NULL AS has_account,
    second_factors.confirmed_at IS NOT NULL AS is_on,
    (
        SELECT count(*)
        FROM recovery_codes
        WHERE recovery_codes.user_uuid = viewer.uuid
    )::integer AS recovery_codes_left
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN accounts ON accounts.user_uuid = viewer.uuid
LEFT JOIN second_factors ON second_factors.user_uuid = viewer.uuid

-- name: use_recovery_code
DELETE FROM recovery_codes
WHERE recovery_codes.user_uuid = :user_uuid
  AND recovery_codes.code_hash = :code_hash

-- name: use_step
-- Notes that the code of a time step is used. No row if this one or a later one was used before.
UPDATE second_factors
SET used_step = :step
WHERE second_factors.user_uuid = :user_uuid
  AND second_factors.confirmed_at IS NOT NULL
  AND second_factors.used_step < :step
