-- Blocks a user. A trigger ends the follows of both, with their notifications (migration 0030). No row
-- unless the viewer's session is open. `uuid` is NULL if no user has the handle.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    {named_person}
),
blocked AS (
    INSERT INTO blocks (blocker_uuid, blocked_uuid)
    SELECT
        viewer.uuid,
        person.uuid
    FROM viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE person.uuid <> viewer.uuid
    ON CONFLICT DO NOTHING
)
SELECT
    person.uuid,
    person.handle,
    person.display_name,
    person.avatar_url,
    person.uuid <> viewer.uuid AS is_blocked,
    {mutes_person}
FROM viewer
LEFT JOIN person ON true
