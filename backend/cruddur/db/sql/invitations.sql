-- name: create
-- Inserts an invitation, unless there are too many that have not expired.
INSERT INTO invitations (code, max_uses, expires_at)
SELECT
    :code,
    :max_uses,
    now() + make_interval(days => :days)
WHERE (
    SELECT count(*)
    FROM invitations
    WHERE invitations.expires_at > now()
) < :max_invitations
RETURNING uuid, code, max_uses, uses, created_at, expires_at

-- name: delete
DELETE FROM invitations
WHERE invitations.uuid = :uuid
  AND invitations.expires_at > now()
RETURNING code

-- name: give_back
-- Undoes a use.
UPDATE invitations
SET uses = invitations.uses - 1
WHERE invitations.uuid = :uuid
  AND invitations.uses > 0

-- name: list
-- All invitations that have not expired, the latest first.
SELECT
    invitations.uuid,
    invitations.code,
    invitations.max_uses,
    invitations.uses,
    invitations.created_at,
    invitations.expires_at
FROM invitations
WHERE invitations.expires_at > now()
ORDER BY invitations.created_at DESC, invitations.uuid DESC

-- name: note_address
INSERT INTO invited_addresses (email, expires_at)
VALUES (:email, now() + interval '30 days')
ON CONFLICT (email) DO UPDATE SET expires_at = EXCLUDED.expires_at

-- name: take_address
DELETE FROM invited_addresses
WHERE invited_addresses.email = :email
  AND invited_addresses.expires_at > now()
RETURNING email

-- name: use
-- Uses an invitation once. No row if it has no uses left, has expired, or was revoked.
UPDATE invitations
SET uses = invitations.uses + 1
WHERE invitations.uuid = :uuid
  AND invitations.uses < invitations.max_uses
  AND invitations.expires_at > now()
RETURNING uuid
