-- The users that a user follows, the latest first. No row if no user has the handle; one row with NULLs
-- for the listed user if there is none. `viewer` is NULL unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
person AS MATERIALIZED (
    SELECT users.uuid
    FROM users
    WHERE users.handle = lower(:handle)
      AND NOT EXISTS (
          SELECT FROM blocked_pairs
          WHERE blocked_pairs.viewer_uuid = (SELECT viewer.uuid FROM viewer)
            AND blocked_pairs.other_uuid = users.uuid
      )
),
page AS MATERIALIZED (
    SELECT
        follows.followee_uuid AS uuid,
        follows.created_at
    FROM follows
    WHERE follows.follower_uuid = (SELECT person.uuid FROM person)
      AND NOT EXISTS (
          SELECT FROM blocked_pairs
          WHERE blocked_pairs.viewer_uuid = (SELECT viewer.uuid FROM viewer)
            AND blocked_pairs.other_uuid = follows.followee_uuid
      )
      AND (follows.created_at, follows.followee_uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY follows.created_at DESC, follows.followee_uuid DESC
    LIMIT (SELECT :limit::bigint)
)
SELECT
    viewer.uuid AS viewer,
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    page.created_at AS followed_at,
    EXISTS (
        SELECT FROM follows
        WHERE follows.follower_uuid = viewer.uuid
          AND follows.followee_uuid = users.uuid
    ) AS followed
FROM viewer
CROSS JOIN person
LEFT JOIN (
    page
    JOIN users
        ON users.uuid = page.uuid
        AND users.uuid = ANY(ARRAY(SELECT page.uuid FROM page))
) ON true
ORDER BY page.created_at DESC, page.uuid DESC
