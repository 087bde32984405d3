-- Ends a block. The result is that of safety/block.sql.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    {named_person}
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
    {mutes_person}
FROM viewer
LEFT JOIN person ON true
