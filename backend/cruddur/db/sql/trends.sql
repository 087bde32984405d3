-- name: by_prefix
-- The tags of live cruds that start with :prefix, of the first :max_passed such tags. The recursion
-- reads each tag once, however many cruds have it. The newest cruds of a tag come first, because they
-- are the most likely ones to be live. U+10FFFF follows every character.
WITH RECURSIVE passed AS (
    SELECT
        (
            SELECT activity_tags.tag
            FROM activity_tags
            WHERE activity_tags.tag >= :prefix
              AND activity_tags.tag < :prefix || U&'\+10FFFF'
            ORDER BY activity_tags.tag
            LIMIT 1
        ) AS tag,
        1 AS place
    UNION ALL
    SELECT
        (
            SELECT activity_tags.tag
            FROM activity_tags
            WHERE activity_tags.tag > passed.tag
              AND activity_tags.tag < :prefix || U&'\+10FFFF'
            ORDER BY activity_tags.tag
            LIMIT 1
        ) AS tag,
        passed.place + 1 AS place
    FROM passed
    WHERE passed.tag IS NOT NULL
      AND passed.place < :max_passed
),
found AS MATERIALIZED (
    SELECT passed.tag
    FROM passed
    WHERE EXISTS (
        SELECT
        FROM (
            SELECT activity_tags.activity_uuid
            FROM activity_tags
            WHERE activity_tags.tag = passed.tag
            ORDER BY activity_tags.activity_uuid DESC
            OFFSET 0
        ) AS newest
        WHERE (
            SELECT activities.expires_at > now()
            FROM activities
            WHERE activities.uuid = newest.activity_uuid
        )
    )
    LIMIT :limit
)
SELECT found.tag
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN found ON true
ORDER BY found.tag

-- name: tags
-- The tags that can be among the first :limit within :horizon from now; ties are in their final
-- order. These are the tags of most live cruds, and the ones that move up when cruds of the first
-- ones expire. The second bound of expires_at excludes no row: for a range the planner assumes one row
-- in 200, and uses activities_expires_at_idx.
WITH live AS MATERIALIZED (
    SELECT
        activities.uuid,
        activities.expires_at
    FROM activities
    WHERE activities.expires_at > now()
      AND activities.expires_at <= 'infinity'
      AND NOT {by_limited_author}
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
-- At least this many tags stay ahead of the following ones, whatever expires.
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
