-- Counts unread notifications about live cruds; messages have a counter of their own. No row unless
-- the viewer's session is open.
-- Each crud is looked up separately. For a join, the planner expects a third of all notifications
-- that the user ever had, and scans every crud.
WITH viewer AS MATERIALIZED (
    SELECT
        member.uuid,
        member.notifications_read_at
    FROM signed_in(:viewer, :session) AS member
)
SELECT
    (
        SELECT count(*)
        FROM notifications
        WHERE notifications.user_uuid = viewer.uuid
          AND notifications.created_at > viewer.notifications_read_at
          AND notifications.kind <> 'message'
          AND (
              SELECT activities.expires_at
              FROM activities
              WHERE activities.uuid = notifications.activity_uuid
          ) > now()
    )::integer AS count
FROM viewer
