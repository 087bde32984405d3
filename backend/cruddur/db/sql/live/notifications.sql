-- Notifications as the people see them whom they are for; nothing about an expired crud.
SELECT
    notifications.uuid,
    notifications.user_uuid,
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
        WHERE likes.activity_uuid = notifications.activity_uuid
          AND likes.user_uuid = notifications.user_uuid
    ) AS liked,
    EXISTS (
        SELECT FROM reposts
        WHERE reposts.activity_uuid = notifications.activity_uuid
          AND reposts.user_uuid = notifications.user_uuid
    ) AS reposted
FROM notifications
JOIN users AS actor ON actor.uuid = notifications.actor_uuid
LEFT JOIN live_activities ON live_activities.uuid = notifications.activity_uuid
LEFT JOIN messages ON messages.uuid = notifications.message_uuid
WHERE notifications.uuid = ANY(:uuids::uuid[])
  AND (live_activities.uuid IS NOT NULL OR notifications.kind = 'message')
