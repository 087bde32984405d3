-- The users that the viewer mutes, the latest first. No row unless the viewer's session is open; one
-- row of NULLs if there is none.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
page AS MATERIALIZED (
    SELECT
        mutes.muted_uuid,
        mutes.created_at,
        NULLIF(mutes.ends_at, 'infinity') AS ends_at
    FROM mutes
    WHERE mutes.muter_uuid = (SELECT viewer.uuid FROM viewer)
      AND mutes.ends_at > now()
      AND (mutes.created_at, mutes.muted_uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY mutes.created_at DESC, mutes.muted_uuid DESC
    LIMIT :limit
)
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    page.created_at,
    page.ends_at
FROM viewer
LEFT JOIN (
    page
    JOIN users
        ON users.uuid = page.muted_uuid
        AND users.uuid = ANY(ARRAY(SELECT page.muted_uuid FROM page))
) ON true
ORDER BY page.created_at DESC, users.uuid DESC
