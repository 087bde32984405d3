-- Mutes a user for :duration, or until further notice if it is NULL. Another duration replaces the
-- one before. The result is that of safety/block.sql.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    {named_person}
),
muted AS (
    INSERT INTO mutes (muter_uuid, muted_uuid, ends_at)
    SELECT
        viewer.uuid,
        person.uuid,
        COALESCE(now() + :duration, 'infinity'::timestamptz)
    FROM viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE person.uuid <> viewer.uuid
    ON CONFLICT (muter_uuid, muted_uuid) DO UPDATE SET ends_at = EXCLUDED.ends_at
)
SELECT
    person.uuid,
    person.handle,
    person.display_name,
    person.avatar_url,
    {blocks_person},
    person.uuid <> viewer.uuid AS is_muted
FROM viewer
LEFT JOIN person ON true
