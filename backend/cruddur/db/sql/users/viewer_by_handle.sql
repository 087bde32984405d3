SELECT
    users.uuid,
    users.handle,
    users.issuer,
    users.subject,
    true AS session_is_open
FROM users
WHERE users.handle = lower(:handle)
