WITH withdrawn AS (
    DELETE FROM reposts
    USING set_config('cruddur.traceparent', :traceparent, true)
    WHERE reposts.activity_uuid = :uuid AND reposts.user_uuid = :user_uuid
    RETURNING activity_uuid, user_uuid
)
DELETE FROM notifications
USING withdrawn
WHERE notifications.activity_uuid = withdrawn.activity_uuid
  AND notifications.actor_uuid = withdrawn.user_uuid
  AND notifications.kind = 'repost'
