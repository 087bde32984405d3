SELECT
    avatars.jpeg,
    users.avatar_digest
FROM users
JOIN avatars ON avatars.user_uuid = users.uuid
WHERE users.subject = :subject
ORDER BY users.created_at
LIMIT 1
