-- Counts unread messages, without those of requests. No row unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
)
SELECT
    (
        SELECT COALESCE(sum(unread.count), 0)
        FROM conversations AS joined
        CROSS JOIN LATERAL (
            SELECT count(*) AS count
            FROM live_messages AS messages
            WHERE messages.message_group_uuid = joined.uuid
              AND messages.user_uuid <> viewer.uuid
              AND messages.created_at > GREATEST(joined.read_at, joined.cleared_at)
        ) AS unread
        WHERE joined.user_uuid = viewer.uuid
          AND NOT {is_request}
          AND {is_visible}
    )::integer AS count
FROM viewer
