-- The viewer's conversations, the one with the latest message first. No row unless the viewer's
-- session is open; one row of NULLs if there is no conversation.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
joined AS (
    SELECT
        message_groups.uuid,
        message_groups.latest_message_at,
        message_groups.high_user_uuid AS other_uuid,
        message_groups.low_read_at AS read_at
    FROM message_groups
    WHERE message_groups.low_user_uuid = (SELECT viewer.uuid FROM viewer)
    UNION ALL
    SELECT
        message_groups.uuid,
        message_groups.latest_message_at,
        message_groups.low_user_uuid AS other_uuid,
        message_groups.high_read_at AS read_at
    FROM message_groups
    WHERE message_groups.high_user_uuid = (SELECT viewer.uuid FROM viewer)
),
page AS MATERIALIZED (
    SELECT
        joined.uuid,
        users.display_name,
        users.handle,
        users.avatar_url,
        latest.message,
        latest.created_at,
        joined.latest_message_at,
        (
            SELECT count(*)
            FROM messages
            WHERE messages.message_group_uuid = joined.uuid
              AND messages.user_uuid <> (SELECT viewer.uuid FROM viewer)
              AND messages.created_at > joined.read_at
        )::integer AS unread_count
    FROM joined
    JOIN users ON users.uuid = joined.other_uuid
    CROSS JOIN LATERAL (
        SELECT
            messages.message,
            messages.created_at
        FROM messages
        WHERE messages.message_group_uuid = joined.uuid
        ORDER BY messages.created_at DESC, messages.uuid DESC
        LIMIT 1
    ) AS latest
    WHERE (joined.latest_message_at, joined.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY joined.latest_message_at DESC, joined.uuid DESC
    LIMIT :limit
)
SELECT
    page.uuid,
    page.display_name,
    page.handle,
    page.avatar_url,
    page.message,
    page.created_at,
    page.latest_message_at,
    page.unread_count
FROM viewer
LEFT JOIN page ON true
ORDER BY page.latest_message_at DESC, page.uuid DESC
