-- Marks a conversation read for one member, unless `newest` says that they look at older
-- messages only. No row when they are not a member.
UPDATE message_groups
SET
    low_read_at = CASE WHEN :newest AND low_user_uuid = :user_uuid THEN clock_timestamp() ELSE low_read_at END,
    high_read_at = CASE WHEN :newest AND high_user_uuid = :user_uuid THEN clock_timestamp() ELSE high_read_at END
WHERE message_groups.uuid = :message_group_uuid
  AND :user_uuid IN (low_user_uuid, high_user_uuid)
RETURNING uuid
