-- What the audit log says about a user after a position, the oldest entry first: their own acts, and the
-- decisions that they can see. Who decided, looks at evidence and dismissed cases are left out, because
-- they would reveal moderators and reporters.
WITH about AS (
    (
        SELECT
            audit_entries.uuid,
            audit_entries.created_at,
            audit_entries.action,
            audit_entries.why,
            true AS is_own_act
        FROM audit_entries
        WHERE audit_entries.actor_uuid = :user_uuid
          AND (audit_entries.created_at, audit_entries.uuid) > (
              COALESCE(:after_at, '-infinity'::timestamptz),
              COALESCE(:after_uuid, '00000000-0000-0000-0000-000000000000'::uuid)
          )
        ORDER BY audit_entries.created_at, audit_entries.uuid
        LIMIT :limit
    )
    UNION ALL
    (
        SELECT
            audit_entries.uuid,
            audit_entries.created_at,
            audit_entries.action,
            audit_entries.why,
            false AS is_own_act
        FROM audit_entries
        WHERE audit_entries.user_uuid = :user_uuid
          AND audit_entries.actor_uuid IS DISTINCT FROM :user_uuid
          AND audit_entries.action IN (
              'warn', 'remove_crud', 'limit', 'suspend', 'ban', 'lift', 'upheld', 'overturned', 'role'
          )
          AND (audit_entries.created_at, audit_entries.uuid) > (
              COALESCE(:after_at, '-infinity'::timestamptz),
              COALESCE(:after_uuid, '00000000-0000-0000-0000-000000000000'::uuid)
          )
        ORDER BY audit_entries.created_at, audit_entries.uuid
        LIMIT :limit
    )
)
SELECT
    about.uuid,
    about.created_at,
    about.action,
    about.why,
    about.is_own_act
FROM about
ORDER BY about.created_at, about.uuid
LIMIT :limit
