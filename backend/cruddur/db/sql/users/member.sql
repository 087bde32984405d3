SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.email,
    users.avatar_url
FROM users
WHERE users.uuid = :uuid
