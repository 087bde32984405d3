-- A page of a conversation, the newest first.
SELECT
    messages.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    messages.message,
    messages.created_at
FROM messages
JOIN users ON users.uuid = messages.user_uuid
WHERE messages.message_group_uuid = :message_group_uuid
  AND (messages.created_at, messages.uuid) < (
      COALESCE(:before_at, 'infinity'::timestamptz),
      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  )
ORDER BY messages.created_at DESC, messages.uuid DESC
LIMIT :limit
