-- The tags that most live cruds carry. The second bound excludes no row: for a range the planner
-- assumes one row in 200, and uses activities_expires_at_idx.
WITH live AS MATERIALIZED (
    SELECT activities.uuid
    FROM activities
    WHERE activities.expires_at > now()
      AND activities.expires_at <= 'infinity'
)
SELECT
    activity_tags.tag,
    count(*)::integer AS count
FROM live
JOIN activity_tags ON activity_tags.activity_uuid = live.uuid
GROUP BY activity_tags.tag
ORDER BY count(*) DESC, activity_tags.tag
LIMIT :limit
