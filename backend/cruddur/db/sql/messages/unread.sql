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
SELECT COALESCE(sum(unread.count), 0)::integer AS count
FROM mine
CROSS JOIN LATERAL (
    SELECT count(*) AS count
    FROM messages
    WHERE messages.message_group_uuid = mine.uuid
      AND messages.user_uuid <> :user_uuid
      AND messages.created_at > mine.read_at
) AS unread
