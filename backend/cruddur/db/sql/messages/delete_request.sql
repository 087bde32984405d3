-- Clears a request for the viewer: its messages until now are not shown to them any more. No row if
-- the viewer has no such request, or unless the viewer's session is open.
UPDATE message_groups
SET
    low_cleared_at = CASE
        WHEN message_groups.low_user_uuid = joined.user_uuid THEN message_groups.latest_message_at
        ELSE message_groups.low_cleared_at
    END,
    high_cleared_at = CASE
        WHEN message_groups.high_user_uuid = joined.user_uuid THEN message_groups.latest_message_at
        ELSE message_groups.high_cleared_at
    END
FROM signed_in(:viewer, :session) AS viewer
JOIN conversations AS joined ON joined.user_uuid = viewer.uuid
WHERE joined.uuid = :message_group_uuid
  AND message_groups.uuid = joined.uuid
  AND EXISTS (
      SELECT FROM live_messages
      WHERE live_messages.message_group_uuid = joined.uuid
        AND live_messages.created_at > joined.cleared_at
  )
  AND {is_request}
  AND {is_visible}
RETURNING message_groups.uuid
