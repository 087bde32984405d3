-- One notification. About a live crud it is as public as the crud; about a message or a follow it is
-- visible to the recipient only. `viewer` is NULL unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
)
SELECT
    viewer.uuid AS viewer,
    {notification_columns},
    {viewer_reactions}
FROM viewer
CROSS JOIN notifications
JOIN users AS actor ON actor.uuid = notifications.actor_uuid
LEFT JOIN live_activities ON live_activities.uuid = notifications.activity_uuid
LEFT JOIN live_messages AS messages ON messages.uuid = notifications.message_uuid
WHERE notifications.uuid = :uuid
  AND {visible_actor}
  AND (
      live_activities.uuid IS NOT NULL
      OR (
          (messages.uuid IS NOT NULL OR notifications.kind = 'follow')
          AND notifications.user_uuid = viewer.uuid
      )
  )
