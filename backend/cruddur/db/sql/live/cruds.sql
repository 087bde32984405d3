-- Live cruds and replies as a visitor sees them.
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
    live_activities.user_uuid
FROM live_activities
WHERE live_activities.uuid = ANY(:uuids::uuid[])
