-- Marks a conversation read for one member. No row when they are not one.
UPDATE message_groups
SET
    low_read_at = CASE low_user_uuid WHEN :user_uuid THEN now() ELSE low_read_at END,
    high_read_at = CASE high_user_uuid WHEN :user_uuid THEN now() ELSE high_read_at END
WHERE message_groups.uuid = :message_group_uuid
  AND :user_uuid IN (low_user_uuid, high_user_uuid)
RETURNING uuid
