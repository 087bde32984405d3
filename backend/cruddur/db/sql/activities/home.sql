-- The newest live top-level cruds. At least one row, of NULLs if there is no crud: `viewer` is NULL
-- unless the viewer's session is open.
-- The page is cut first, so that nothing is looked up for a crud that is not on it. The planner
-- cannot see the value of this LIMIT and assumes a tenth of the rows, so it walks the index that
-- has them in order instead of sorting all of them.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
page AS MATERIALIZED (
    SELECT activities.uuid
    FROM activities
    WHERE activities.reply_to_activity_uuid IS NULL
      AND activities.expires_at > now()
      AND (activities.created_at, activities.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY activities.created_at DESC, activities.uuid DESC
    LIMIT (SELECT :limit::bigint)
),
shown AS MATERIALIZED (
    SELECT page.uuid FROM page
),
people AS MATERIALIZED (
    {people_on_page}
),
hidden AS MATERIALIZED (
    {hidden_on_page}
    UNION ALL
    {limited_on_page}
)
SELECT
    viewer.uuid AS viewer,
    {crud_columns},
    {viewer_reactions},
    {viewer_hides}
FROM viewer
LEFT JOIN live_activities ON live_activities.uuid = ANY(ARRAY(SELECT page.uuid FROM page))
ORDER BY live_activities.created_at DESC, live_activities.uuid DESC
