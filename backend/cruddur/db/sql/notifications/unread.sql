-- Counts unread notifications about live cruds and follows; messages have a counter of their own. No row unless
-- the viewer's session is open.
-- Each crud is looked up separately. For a join, the planner expects a third of all notifications
-- that the user ever had, and scans every crud.
WITH viewer AS MATERIALIZED (
    {notified_viewer}
)
SELECT
    (
        SELECT count(*)
        FROM notifications
        WHERE notifications.user_uuid = viewer.uuid
          AND notifications.created_at > viewer.notifications_read_at
          AND notifications.kind <> 'message'
          AND {visible_actor}
          AND (
              notifications.kind NOT IN ('reply', 'mention')
              OR notifications.created_at > viewer.mentions_read_at
          )
          AND (
              notifications.kind = 'follow'
              OR (
                  SELECT activities.expires_at
                  FROM activities
                  WHERE activities.uuid = notifications.activity_uuid
              ) > now()
          )
    )::integer AS count
FROM viewer
