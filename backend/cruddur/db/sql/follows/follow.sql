-- Follows the user with a handle, unless the viewer follows too many already, and notifies them. No
-- row unless the viewer's session is open; `uuid` is NULL if no user has the handle.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    {visible_person}
),
allowance AS MATERIALIZED (
    SELECT
        COALESCE(
            (
                SELECT follow_counts.following_count
                FROM follow_counts
                WHERE follow_counts.user_uuid = viewer.uuid
            ),
            0
        ) >= :max_followed AS is_used_up
    FROM viewer
),
followed AS (
    INSERT INTO follows (follower_uuid, followee_uuid)
    SELECT
        viewer.uuid,
        person.uuid
    FROM viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE person.uuid <> viewer.uuid
      AND NOT (SELECT allowance.is_used_up FROM allowance)
    ON CONFLICT DO NOTHING
    RETURNING follower_uuid, followee_uuid
),
notified AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind)
    SELECT
        followed.followee_uuid,
        followed.follower_uuid,
        'follow'
    FROM followed
    ON CONFLICT DO NOTHING
)
SELECT
    person.uuid,
    allowance.is_used_up
FROM viewer
CROSS JOIN allowance
LEFT JOIN person ON true
