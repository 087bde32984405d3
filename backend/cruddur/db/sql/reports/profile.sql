-- A user's profile as evidence.
SELECT
    users.uuid,
    users.created_at,
    users.uuid AS user_uuid,
    users.handle,
    users.display_name,
    users.bio,
    avatars.jpeg AS avatar
FROM users
LEFT JOIN avatars
    ON avatars.user_uuid = users.uuid
    AND users.avatar_digest IS NOT NULL
WHERE users.uuid = :uuid
