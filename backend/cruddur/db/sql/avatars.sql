-- name: clear
UPDATE users
SET avatar_digest = NULL
FROM signed_in(:viewer, :session) AS viewer
WHERE users.uuid = viewer.uuid
RETURNING users.uuid

-- name: delete
DELETE FROM avatars
WHERE avatars.user_uuid = :user_uuid

-- name: save
WITH pointed AS (
    UPDATE users
    SET avatar_digest = :digest
    WHERE users.uuid = :user_uuid
    RETURNING uuid, avatar_url
),
saved AS (
    INSERT INTO avatars (user_uuid, jpeg)
    SELECT
        pointed.uuid,
        :jpeg
    FROM pointed
    ON CONFLICT (user_uuid) DO UPDATE SET jpeg = EXCLUDED.jpeg
)
SELECT pointed.avatar_url
FROM pointed

-- name: show
SELECT
    avatars.jpeg,
    users.avatar_digest
FROM users
JOIN avatars ON avatars.user_uuid = users.uuid
WHERE users.subject = :subject
ORDER BY users.created_at
LIMIT 1

-- name: show_of
SELECT avatars.jpeg
FROM avatars
JOIN users ON users.uuid = avatars.user_uuid
WHERE avatars.user_uuid = :user_uuid
  AND users.avatar_digest IS NOT NULL

-- name: use
-- Notes that an upload address is used. No row if it was used before, or if the user is suspended.
INSERT INTO used_uploads (user_uuid, uuid, expires_at)
SELECT
    :user_uuid,
    :uuid,
    now() + :lifetime
WHERE NOT EXISTS (
    SELECT FROM users
    WHERE users.uuid = :user_uuid
      AND users.suspended_until > now()
)
ON CONFLICT DO NOTHING
