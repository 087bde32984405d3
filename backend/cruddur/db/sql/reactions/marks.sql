-- Which of these cruds the viewer has liked and reposted, which of these users they follow, which of the
-- users with :handles are hidden from them (with :is_public_feed, also those who are limited), and what has
-- changed on pages. `viewer` is NULL unless the
-- viewer's session is open.
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
    -- For a viewer who hides no one, the first condition is false before any user is looked up.
    ARRAY(
        SELECT users.handle
        FROM users
        WHERE EXISTS (
            SELECT FROM hidden_authors
            WHERE hidden_authors.viewer_uuid = (SELECT viewer.uuid FROM viewer)
        )
          AND users.uuid = ANY(ARRAY(
              SELECT hidden_authors.author_uuid
              FROM hidden_authors
              WHERE hidden_authors.viewer_uuid = (SELECT viewer.uuid FROM viewer)
                AND hidden_authors.author_uuid = ANY(ARRAY(
                    SELECT people.uuid
                    FROM users AS people
                    WHERE people.handle COLLATE "C" = ANY(:handles::text[])
                ))
          ))
        UNION ALL
        SELECT users.handle
        FROM users
        WHERE :is_public_feed
          AND (SELECT max(anyone.limited_until) FROM users AS anyone) > now()
          AND users.limited_until > now()
          AND users.limited_until <= 'infinity'
          AND users.handle COLLATE "C" = ANY(:handles::text[])
          AND users.uuid <> (SELECT viewer.uuid FROM viewer)
          AND (
              SELECT true
              FROM follows
              WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
                AND follows.followee_uuid = users.uuid
          ) IS NULL
    ) AS hidden,
    page_changes.*
FROM viewer
CROSS JOIN (
    {page_changes}
) AS page_changes
