SELECT
    users.uuid,
    users.handle,
    users.issuer,
    users.subject
FROM users
WHERE users.handle = lower(:handle)
