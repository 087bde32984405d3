-- Everyone who has a role, admins first.
SELECT
    users.handle,
    users.role
FROM users
WHERE users.role <> 'member'
ORDER BY users.role, users.handle COLLATE "C"
