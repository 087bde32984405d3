-- The users that a user follows, the latest first. No row if no user has the handle; one row with NULLs
-- for the listed user if there is none. `viewer` is NULL unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
person AS MATERIALIZED (
    {visible_person}
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
{listed_follows}
