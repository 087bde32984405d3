-- The viewer's role, whether they are involved in a case, because they have reported it or made the
-- decision of :actor_uuid, and whether another user with one of the :roles is not involved. No row unless
-- the viewer's session is open.
SELECT
    users.role,
    COALESCE(viewer.uuid = :actor_uuid::uuid, false) OR EXISTS (
        SELECT FROM reports
        WHERE reports.case_uuid = :case_uuid
          AND reports.reporter_uuid = viewer.uuid
    ) AS is_involved,
    EXISTS (
        SELECT FROM users AS others
        WHERE others.role <> 'member'
          AND others.role = ANY(:roles::text[])
          AND others.uuid NOT IN (viewer.uuid, :user_uuid)
          AND others.uuid IS DISTINCT FROM :actor_uuid::uuid
          AND (others.suspended_until IS NULL OR others.suspended_until <= now())
          AND NOT EXISTS (
              SELECT FROM reports
              WHERE reports.case_uuid = :case_uuid
                AND reports.reporter_uuid = others.uuid
          )
    ) AS has_other
FROM signed_in(:viewer, :session) AS viewer
JOIN users ON users.uuid = viewer.uuid
