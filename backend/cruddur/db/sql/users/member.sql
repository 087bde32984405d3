SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.email,
    '/api/avatars/' || users.subject || '.jpg?v=' || users.avatar_digest AS avatar_url
FROM users
WHERE users.uuid = :uuid
