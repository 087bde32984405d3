-- Those of some users that the viewer follows or does not see. No row unless the viewer's session is
-- open.
SELECT
    ARRAY(
        SELECT users.uuid
        FROM unnest(:uuids::uuid[]) AS users (uuid)
        WHERE EXISTS (
            SELECT FROM follows
            WHERE follows.follower_uuid = viewer.uuid
              AND follows.followee_uuid = users.uuid
        )
        OR EXISTS (
            SELECT FROM hidden_authors
            WHERE hidden_authors.viewer_uuid = viewer.uuid
              AND hidden_authors.author_uuid = users.uuid
        )
    ) AS uuids
FROM signed_in(:viewer, :session) AS viewer
