-- The audit log after a position, the oldest entry first.
SELECT
    audit_entries.uuid,
    audit_entries.created_at,
    audit_entries.actor_uuid,
    audit_entries.actor_handle,
    audit_entries.action,
    audit_entries.case_uuid,
    audit_entries.user_uuid,
    audit_entries.user_handle,
    audit_entries.why
FROM audit_entries
WHERE (audit_entries.created_at, audit_entries.uuid) > (
    COALESCE(:after_at, '-infinity'::timestamptz),
    COALESCE(:after_uuid, '00000000-0000-0000-0000-000000000000'::uuid)
)
ORDER BY audit_entries.created_at, audit_entries.uuid
LIMIT :limit
