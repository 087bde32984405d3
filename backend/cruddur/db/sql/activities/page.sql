-- A live crud or reply, the cruds above it in its thread, a page of its live replies, and the first
-- live replies to each of these, all ordered by their age. The crud itself is missing if it is not
-- live. The page is cut first (activities/home.sql explains why). The scalar subqueries look up each
-- crud separately (notifications/unread.sql explains why).
WITH RECURSIVE viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
thread AS (
    SELECT
        activities.uuid,
        activities.reply_to_activity_uuid AS parent_uuid,
        0 AS distance
    FROM activities
    WHERE activities.uuid = :uuid::uuid
    UNION ALL
    SELECT
        thread.parent_uuid AS uuid,
        (
            SELECT activities.reply_to_activity_uuid
            FROM activities
            WHERE activities.uuid = thread.parent_uuid
        ) AS parent_uuid,
        thread.distance + 1 AS distance
    FROM thread
    WHERE thread.parent_uuid IS NOT NULL
      AND thread.distance < :max_ancestors::integer
),
page AS MATERIALIZED (
    SELECT activities.uuid
    FROM activities
    WHERE activities.reply_to_activity_uuid = :uuid
      AND activities.expires_at > now()
      AND (activities.created_at, activities.uuid) > (
          COALESCE(:after_at, '-infinity'::timestamptz),
          COALESCE(:after_uuid, '00000000-0000-0000-0000-000000000000'::uuid)
      )
    ORDER BY activities.created_at, activities.uuid
    LIMIT (SELECT :limit::bigint)
),
nested AS MATERIALIZED (
    SELECT
        unnest(ARRAY(
            SELECT activities.uuid
            FROM activities
            WHERE activities.reply_to_activity_uuid = page.uuid
              AND activities.expires_at > now()
            ORDER BY activities.created_at, activities.uuid
            LIMIT (SELECT :max_nested::bigint)
        )) AS uuid
    FROM page
),
shown AS MATERIALIZED (
    SELECT thread.uuid FROM thread
    UNION ALL
    SELECT page.uuid FROM page
    UNION ALL
    SELECT nested.uuid FROM nested
),
people AS MATERIALIZED (
    {people_on_page}
),
hidden AS MATERIALIZED (
    {hidden_on_page}
)
SELECT
    viewer.uuid AS viewer,
    {crud_columns},
    {viewer_reactions},
    {viewer_hides}
FROM viewer
JOIN live_activities ON live_activities.uuid = ANY(ARRAY(SELECT shown.uuid FROM shown))
ORDER BY live_activities.created_at, live_activities.uuid
