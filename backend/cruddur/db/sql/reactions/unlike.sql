WITH unliked AS (
    DELETE FROM likes
    USING set_config('cruddur.traceparent', :traceparent, true)
    WHERE likes.activity_uuid = :uuid AND likes.user_uuid = :user_uuid
    RETURNING activity_uuid, user_uuid
)
DELETE FROM notifications
USING unliked
WHERE notifications.activity_uuid = unliked.activity_uuid
  AND notifications.actor_uuid = unliked.user_uuid
  AND notifications.kind = 'like'
