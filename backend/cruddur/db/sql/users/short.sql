SELECT
    users.uuid,
    users.handle,
    users.display_name,
    '/api/avatars/' || users.subject || '.jpg?v=' || users.avatar_digest AS avatar_url
FROM users
WHERE users.handle = lower(:handle)
