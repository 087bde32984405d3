-- Ends a block. The result is that of safety/block.sql.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    SELECT
        users.uuid,
        users.handle,
        users.display_name,
        users.avatar_url
    FROM users
    WHERE users.handle = lower(:handle)
),
unblocked AS (
    DELETE FROM blocks
    USING viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE blocks.blocker_uuid = viewer.uuid
      AND blocks.blocked_uuid = person.uuid
)
SELECT
    person.uuid,
    person.handle,
    person.display_name,
    person.avatar_url,
    false AS is_blocked,
    EXISTS (
        SELECT FROM mutes
        WHERE mutes.muter_uuid = viewer.uuid
          AND mutes.muted_uuid = person.uuid
          AND mutes.ends_at > now()
    ) AS is_muted
FROM viewer
LEFT JOIN person ON true
