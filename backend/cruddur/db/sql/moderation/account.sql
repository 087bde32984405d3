-- An account as moderators see it.
SELECT
    users.uuid AS user_uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    users.role,
    users.created_at AS joined_at,
    CASE WHEN users.limited_until > now() THEN users.limited_until END AS limited_until,
    COALESCE(users.suspended_until > now(), false) AS is_suspended,
    CASE
        WHEN users.suspended_until > now() THEN NULLIF(users.suspended_until, 'infinity')
    END AS suspended_until
FROM users
WHERE users.handle = lower(:handle)
