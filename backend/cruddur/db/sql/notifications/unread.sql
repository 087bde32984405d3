-- Messages have a counter of their own. Each crud is looked up by itself: of a join the
-- planner expects a third of all that the person was ever told, and scans every crud.
SELECT count(*)::integer AS count
FROM notifications
WHERE notifications.user_uuid = :user_uuid
  AND notifications.created_at > (
      SELECT users.notifications_read_at
      FROM users
      WHERE users.uuid = :user_uuid
  )
  AND notifications.kind <> 'message'
  AND (
      SELECT activities.expires_at
      FROM activities
      WHERE activities.uuid = notifications.activity_uuid
  ) > now()
