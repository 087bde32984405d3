SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM users
WHERE users.handle = lower(:handle)
