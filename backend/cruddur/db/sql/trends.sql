-- name: tags
-- The tags that can be among the first :limit within :horizon from now, in the order of equals:
-- those that most live cruds carry, and those that follow when the first ones lose cruds by
-- expiry. The second bound of expires_at excludes no row: for a range the planner assumes one row
-- in 200, and uses activities_expires_at_idx.
WITH live AS MATERIALIZED (
    SELECT
        activities.uuid,
        activities.expires_at
    FROM activities
    WHERE activities.expires_at > now()
      AND activities.expires_at <= 'infinity'
),
counted AS MATERIALIZED (
    SELECT
        activity_tags.tag,
        count(*)::integer AS score,
        count(*) FILTER (WHERE live.expires_at > now() + :horizon)::integer AS lasting,
        array_agg(live.expires_at) FILTER (WHERE live.expires_at <= now() + :horizon) AS ends,
        array_agg(1) FILTER (WHERE live.expires_at <= now() + :horizon) AS falls
    FROM live
    JOIN activity_tags ON activity_tags.activity_uuid = live.uuid
    GROUP BY activity_tags.tag
),
-- Whatever expires, so many tags stay in front of those that are behind this one now.
last AS (
    SELECT
        counted.tag,
        counted.lasting
    FROM counted
    ORDER BY counted.lasting DESC, counted.tag
    OFFSET :limit - 1
    LIMIT 1
)
SELECT
    counted.tag,
    counted.score,
    counted.ends,
    counted.falls,
    now() AS read_at
FROM counted
LEFT JOIN last ON true
WHERE last.tag IS NULL
   OR counted.score > last.lasting
   OR counted.score = last.lasting AND counted.tag <= last.tag
ORDER BY counted.tag
