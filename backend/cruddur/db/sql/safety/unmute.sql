-- Ends a mute. The result is that of safety/block.sql.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    {named_person}
),
unmuted AS (
    DELETE FROM mutes
    USING viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE mutes.muter_uuid = viewer.uuid
      AND mutes.muted_uuid = person.uuid
)
SELECT
    person.uuid,
    person.handle,
    person.display_name,
    person.avatar_url,
    {blocks_person},
    false AS is_muted
FROM viewer
LEFT JOIN person ON true
