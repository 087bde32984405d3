-- The viewer's conversations, or the requests for them, the one with the latest live message first. A
-- conversation without a live message is not listed. No row unless the viewer's session is open; one row of NULLs if there is no conversation.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
page AS MATERIALIZED (
    SELECT
        joined.uuid,
        users.display_name,
        users.handle,
        users.avatar_url,
        latest.message,
        latest.created_at,
        latest.expires_at,
        latest.kind,
        latest.lifetime,
        (
            SELECT count(*)
            FROM live_messages AS messages
            WHERE messages.message_group_uuid = joined.uuid
              AND messages.user_uuid <> (SELECT viewer.uuid FROM viewer)
              AND messages.created_at > GREATEST(joined.read_at, joined.cleared_at)
        )::integer AS unread_count
    FROM conversations AS joined
    JOIN users ON users.uuid = joined.other_uuid
    CROSS JOIN LATERAL (
        SELECT
            messages.message,
            messages.created_at,
            messages.expires_at,
            messages.kind,
            messages.lifetime
        FROM live_messages AS messages
        WHERE messages.message_group_uuid = joined.uuid
          AND messages.created_at > joined.cleared_at
        ORDER BY messages.created_at DESC, messages.uuid DESC
        LIMIT 1
    ) AS latest
    WHERE joined.user_uuid = (SELECT viewer.uuid FROM viewer)
      AND {is_request} = :are_requests
      AND {is_visible}
      AND (latest.created_at, joined.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY latest.created_at DESC, joined.uuid DESC
    LIMIT :limit
)
SELECT
    page.uuid,
    page.display_name,
    page.handle,
    page.avatar_url,
    page.message,
    page.created_at,
    page.expires_at,
    page.kind,
    page.lifetime,
    page.unread_count
FROM viewer
LEFT JOIN page ON true
ORDER BY page.created_at DESC, page.uuid DESC
