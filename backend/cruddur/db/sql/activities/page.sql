-- A live crud or reply, followed by a page of its live replies, oldest first. No row if it is not
-- live. The page is cut first (activities/home.sql explains why).
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
page AS MATERIALIZED (
    SELECT activities.uuid
    FROM activities
    WHERE activities.reply_to_activity_uuid = :uuid::uuid
      AND activities.expires_at > now()
      AND (activities.created_at, activities.uuid) > (
          COALESCE(:after_at, '-infinity'::timestamptz),
          COALESCE(:after_uuid, '00000000-0000-0000-0000-000000000000'::uuid)
      )
    ORDER BY activities.created_at, activities.uuid
    LIMIT (SELECT :limit::bigint)
)
SELECT
    viewer.uuid AS viewer,
    {crud_columns},
    {viewer_reactions}
FROM viewer
JOIN live_activities
    ON live_activities.uuid = ANY(ARRAY(SELECT page.uuid FROM page UNION ALL SELECT :uuid))
ORDER BY live_activities.uuid = :uuid DESC, live_activities.created_at, live_activities.uuid
