-- Deletes a like and its notification. No row unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
withdrawn AS (
    DELETE FROM likes
    USING viewer
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE likes.activity_uuid = :uuid AND likes.user_uuid = viewer.uuid
    RETURNING activity_uuid, user_uuid
),
retracted AS (
    DELETE FROM notifications
    USING withdrawn
    WHERE notifications.activity_uuid = withdrawn.activity_uuid
      AND notifications.actor_uuid = withdrawn.user_uuid
      AND notifications.kind = 'like'
)
SELECT viewer.uuid
FROM viewer
