-- The users that the viewer blocks, the latest first. No row unless the viewer's session is open; one
-- row of NULLs if there is none.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
page AS MATERIALIZED (
    SELECT
        blocks.blocked_uuid,
        blocks.created_at
    FROM blocks
    WHERE blocks.blocker_uuid = (SELECT viewer.uuid FROM viewer)
      AND (blocks.created_at, blocks.blocked_uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY blocks.created_at DESC, blocks.blocked_uuid DESC
    LIMIT :limit
)
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    page.created_at
FROM viewer
LEFT JOIN (
    page
    JOIN users
        ON users.uuid = page.blocked_uuid
        AND users.uuid = ANY(ARRAY(SELECT page.blocked_uuid FROM page))
) ON true
ORDER BY page.created_at DESC, users.uuid DESC
