-- What happened to the viewer, the newest first; nothing that is about an expired crud.
SELECT
    notifications.uuid,
    notifications.kind,
    notifications.created_at,
    notifications.activity_uuid,
    actor.display_name,
    actor.handle,
    actor.avatar_url,
    messages.message_group_uuid,
    COALESCE(live_activities.message, messages.message) AS message,
    live_activities.expires_at,
    COALESCE(live_activities.replies_count, 0) AS replies_count,
    COALESCE(live_activities.reposts_count, 0) AS reposts_count,
    COALESCE(live_activities.likes_count, 0) AS likes_count,
    live_activities.reply_to_activity_uuid,
    EXISTS (
        SELECT FROM likes
        WHERE likes.activity_uuid = notifications.activity_uuid AND likes.user_uuid = :viewer
    ) AS liked,
    EXISTS (
        SELECT FROM reposts
        WHERE reposts.activity_uuid = notifications.activity_uuid AND reposts.user_uuid = :viewer
    ) AS reposted
FROM notifications
JOIN users AS actor ON actor.uuid = notifications.actor_uuid
LEFT JOIN live_activities ON live_activities.uuid = notifications.activity_uuid
LEFT JOIN messages ON messages.uuid = notifications.message_uuid
WHERE notifications.user_uuid = :viewer
  AND (live_activities.uuid IS NOT NULL OR notifications.kind = 'message')
  AND (notifications.created_at, notifications.uuid) < (
      COALESCE(:before_at, 'infinity'::timestamptz),
      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  )
ORDER BY notifications.created_at DESC, notifications.uuid DESC
LIMIT :limit
