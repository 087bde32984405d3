SELECT message_groups.uuid
FROM message_groups
JOIN users ON users.handle = lower(:handle)
WHERE message_groups.low_user_uuid = LEAST(:user_uuid::uuid, users.uuid)
  AND message_groups.high_user_uuid = GREATEST(:user_uuid::uuid, users.uuid)
