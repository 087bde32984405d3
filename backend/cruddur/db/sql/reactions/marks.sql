-- Which of these cruds the viewer has liked and reposted, which of these users they follow, and what
-- has changed on pages. `viewer` is NULL unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
)
SELECT
    viewer.uuid AS viewer,
    ARRAY(
        SELECT likes.activity_uuid
        FROM likes
        WHERE likes.user_uuid = (SELECT viewer.uuid FROM viewer)
          AND likes.activity_uuid = ANY(:uuids::uuid[])
    ) AS liked,
    ARRAY(
        SELECT reposts.activity_uuid
        FROM reposts
        WHERE reposts.user_uuid = (SELECT viewer.uuid FROM viewer)
          AND reposts.activity_uuid = ANY(:uuids::uuid[])
    ) AS reposted,
    ARRAY(
        SELECT follows.followee_uuid
        FROM follows
        WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
          AND follows.followee_uuid = ANY(:users::uuid[])
    ) AS followed,
    page_changes.*
FROM viewer
CROSS JOIN (
    {page_changes}
) AS page_changes
