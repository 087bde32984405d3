-- The viewer's notifications, newest first, without those about expired cruds and messages. No row unless the
-- viewer's session is open; one row of NULLs if there is no notification.
-- The newest page marks the notifications read, up to the newest that is returned and not up to
-- now, so that one that commits meanwhile stays unread.
-- The page is cut first, and each crud is looked up separately (notifications/unread.sql explains
-- why).
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
page AS MATERIALIZED (
    SELECT
        notifications.uuid,
        notifications.actor_uuid,
        notifications.kind,
        notifications.activity_uuid,
        notifications.message_uuid,
        notifications.created_at
    FROM notifications
    WHERE notifications.user_uuid = (SELECT viewer.uuid FROM viewer)
      AND {visible_actor}
      AND (
          notifications.kind = 'follow'
          OR (
              SELECT messages.expires_at
              FROM messages
              WHERE messages.uuid = notifications.message_uuid
          ) > now()
          OR (
              SELECT activities.expires_at
              FROM activities
              WHERE activities.uuid = notifications.activity_uuid
          ) > now()
      )
      AND (notifications.created_at, notifications.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY notifications.created_at DESC, notifications.uuid DESC
    LIMIT (SELECT :limit::bigint)
),
newest AS MATERIALIZED (
    SELECT max(page.created_at) AS created_at
    FROM page
    WHERE :before_at::timestamptz IS NULL
),
marked AS (
    UPDATE users
    SET notifications_read_at = newest.created_at
    FROM viewer
    CROSS JOIN newest
    WHERE users.uuid = viewer.uuid
      AND users.notifications_read_at < newest.created_at
)
SELECT
    {notification_columns},
    {viewer_reactions}
FROM viewer
LEFT JOIN (
    page AS notifications
    JOIN users AS actor
        ON actor.uuid = notifications.actor_uuid
        AND actor.uuid = ANY(ARRAY(SELECT page.actor_uuid FROM page))
) ON true
LEFT JOIN live_activities
    ON live_activities.uuid = notifications.activity_uuid
    AND live_activities.uuid = ANY(ARRAY(SELECT page.activity_uuid FROM page))
LEFT JOIN live_messages AS messages
    ON messages.uuid = notifications.message_uuid
    AND messages.uuid = ANY(ARRAY(SELECT page.message_uuid FROM page))
ORDER BY notifications.created_at DESC, notifications.uuid DESC
