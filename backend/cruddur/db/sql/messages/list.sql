-- A page of a conversation, the newest message first. The conversation is the one with this uuid or,
-- if that is NULL, the viewer's with the user of a handle.
--
-- The newest page marks the conversation read, up to the newest message that this statement sees
-- and not up to now: messages become visible in the order of their times (messages/create.sql), so
-- a message that commits meanwhile is later than the mark and stays unread.
--
-- No row unless the viewer's session is open. `message_group_uuid` is NULL if there is no such
-- conversation, the viewer is not in it, or one of its members blocks the other; `uuid` is NULL if the
-- page is empty.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
conversation AS MATERIALIZED (
    SELECT
        joined.uuid,
        joined.cleared_at
    FROM viewer
    JOIN conversations AS joined ON joined.user_uuid = viewer.uuid
    WHERE joined.uuid = COALESCE(
        :message_group_uuid,
        (
            SELECT pair.uuid
            FROM users
            CROSS JOIN viewer AS own
            JOIN message_groups AS pair
                ON pair.low_user_uuid = LEAST(own.uuid, users.uuid)
                AND pair.high_user_uuid = GREATEST(own.uuid, users.uuid)
            WHERE users.handle = lower(:handle)
        )
    )
      AND {is_visible}
),
page AS MATERIALIZED (
    SELECT
        messages.uuid,
        messages.user_uuid,
        messages.message,
        messages.created_at,
        messages.expires_at,
        messages.kind,
        messages.lifetime
    FROM live_messages AS messages
    WHERE messages.message_group_uuid = (SELECT conversation.uuid FROM conversation)
      AND messages.created_at > (SELECT conversation.cleared_at FROM conversation)
      AND (messages.created_at, messages.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY messages.created_at DESC, messages.uuid DESC
    LIMIT :limit
),
newest AS MATERIALIZED (
    SELECT max(page.created_at) AS created_at
    FROM page
    WHERE :before_at::timestamptz IS NULL
),
marked AS (
    UPDATE message_groups
    SET
        low_read_at = CASE
            WHEN message_groups.low_user_uuid = viewer.uuid
                THEN GREATEST(message_groups.low_read_at, newest.created_at)
            ELSE message_groups.low_read_at
        END,
        high_read_at = CASE
            WHEN message_groups.high_user_uuid = viewer.uuid
                THEN GREATEST(message_groups.high_read_at, newest.created_at)
            ELSE message_groups.high_read_at
        END
    FROM conversation
    CROSS JOIN viewer
    CROSS JOIN newest
    WHERE message_groups.uuid = conversation.uuid
      AND newest.created_at > CASE viewer.uuid
          WHEN message_groups.low_user_uuid THEN message_groups.low_read_at
          ELSE message_groups.high_read_at
      END
)
SELECT
    conversation.uuid AS message_group_uuid,
    page.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    page.message,
    page.created_at,
    page.expires_at,
    page.kind,
    page.lifetime
FROM viewer
LEFT JOIN conversation ON true
LEFT JOIN (page JOIN users ON users.uuid = page.user_uuid) ON true
ORDER BY page.created_at DESC, page.uuid DESC
