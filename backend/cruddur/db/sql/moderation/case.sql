-- A case, its account, and the ranks that decide who may act. The row stays locked until the
-- transaction ends, so decisions follow each other.
SELECT
    cases.uuid,
    cases.kind,
    cases.subject_uuid,
    cases.user_uuid,
    cases.opened_at,
    cases.closed_at,
    cases.has_appeal,
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
FROM cases
LEFT JOIN users ON users.uuid = cases.user_uuid
WHERE cases.uuid = :uuid
FOR NO KEY UPDATE OF cases
