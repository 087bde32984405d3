-- A person's conversations, the one with the latest message first.
WITH mine AS (
    SELECT
        message_groups.uuid,
        message_groups.latest_message_at,
        message_groups.high_user_uuid AS other_uuid,
        message_groups.low_read_at AS read_at
    FROM message_groups
    WHERE message_groups.low_user_uuid = :user_uuid
    UNION ALL
    SELECT
        message_groups.uuid,
        message_groups.latest_message_at,
        message_groups.low_user_uuid AS other_uuid,
        message_groups.high_read_at AS read_at
    FROM message_groups
    WHERE message_groups.high_user_uuid = :user_uuid
)
SELECT
    mine.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    latest.message,
    latest.created_at,
    mine.latest_message_at,
    (
        SELECT count(*)
        FROM messages
        WHERE messages.message_group_uuid = mine.uuid
          AND messages.user_uuid <> :user_uuid
          AND messages.created_at > mine.read_at
    )::integer AS unread_count
FROM mine
JOIN users ON users.uuid = mine.other_uuid
CROSS JOIN LATERAL (
    SELECT
        messages.message,
        messages.created_at
    FROM messages
    WHERE messages.message_group_uuid = mine.uuid
    ORDER BY messages.created_at DESC, messages.uuid DESC
    LIMIT 1
) AS latest
WHERE (mine.latest_message_at, mine.uuid) < (
      COALESCE(:before_at, 'infinity'::timestamptz),
      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  )
ORDER BY mine.latest_message_at DESC, mine.uuid DESC
LIMIT :limit
