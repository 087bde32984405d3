-- Moves a request to the viewer's conversations. No row if the viewer has no such conversation, or
-- unless the viewer's session is open.
UPDATE message_groups
SET
    low_has_accepted = message_groups.low_has_accepted OR message_groups.low_user_uuid = viewer.uuid,
    high_has_accepted = message_groups.high_has_accepted OR message_groups.high_user_uuid = viewer.uuid
FROM signed_in(:viewer, :session) AS viewer
WHERE message_groups.uuid = :message_group_uuid
  AND viewer.uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
  AND NOT EXISTS (
      SELECT FROM blocks
      WHERE blocks.blocker_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
        AND blocks.blocked_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
  )
RETURNING message_groups.uuid
