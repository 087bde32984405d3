-- Deletes a follow and its notification. No row unless the viewer's session is open; `uuid` is NULL if
-- no user has the handle.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    {visible_person}
),
withdrawn AS (
    DELETE FROM follows
    USING viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE follows.follower_uuid = viewer.uuid
      AND follows.followee_uuid = person.uuid
    RETURNING follower_uuid, followee_uuid
),
retracted AS (
    DELETE FROM notifications
    USING withdrawn
    WHERE notifications.user_uuid = withdrawn.followee_uuid
      AND notifications.actor_uuid = withdrawn.follower_uuid
      AND notifications.kind = 'follow'
)
SELECT
    person.uuid,
    false AS is_used_up
FROM viewer
LEFT JOIN person ON true
