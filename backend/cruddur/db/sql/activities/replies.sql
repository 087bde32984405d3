-- The live replies to a crud, the oldest first.
SELECT
    live_activities.uuid,
    live_activities.display_name,
    live_activities.handle,
    live_activities.avatar_url,
    live_activities.message,
    live_activities.created_at,
    live_activities.expires_at,
    live_activities.replies_count,
    live_activities.reposts_count,
    live_activities.likes_count,
    live_activities.reply_to_activity_uuid,
    EXISTS (
        SELECT FROM likes
        WHERE likes.activity_uuid = live_activities.uuid AND likes.user_uuid = :viewer
    ) AS liked,
    EXISTS (
        SELECT FROM reposts
        WHERE reposts.activity_uuid = live_activities.uuid AND reposts.user_uuid = :viewer
    ) AS reposted
FROM live_activities
WHERE live_activities.reply_to_activity_uuid = :uuid
  AND (live_activities.created_at, live_activities.uuid) > (
      COALESCE(:after_at, '-infinity'::timestamptz),
      COALESCE(:after_uuid, '00000000-0000-0000-0000-000000000000'::uuid)
  )
ORDER BY live_activities.created_at, live_activities.uuid
LIMIT :limit
