-- No row unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
joined AS (
    SELECT
        message_groups.uuid,
        message_groups.low_read_at AS read_at
    FROM message_groups
    WHERE message_groups.low_user_uuid = (SELECT viewer.uuid FROM viewer)
    UNION ALL
    SELECT
        message_groups.uuid,
        message_groups.high_read_at AS read_at
    FROM message_groups
    WHERE message_groups.high_user_uuid = (SELECT viewer.uuid FROM viewer)
)
SELECT
    (
        SELECT COALESCE(sum(unread.count), 0)
        FROM joined
        CROSS JOIN LATERAL (
            SELECT count(*) AS count
            FROM messages
            WHERE messages.message_group_uuid = joined.uuid
              AND messages.user_uuid <> viewer.uuid
              AND messages.created_at > joined.read_at
        ) AS unread
    )::integer AS count
FROM viewer
