-- The people that can be among the first :limit within :horizon from now, in the order of equals:
-- those whose live cruds are liked and reposted most, and those that follow when the first ones
-- lose cruds by expiry (trends/tags.sql explains both this and the second bound of expires_at).
WITH liked AS MATERIALIZED (
    SELECT
        activities.user_uuid,
        activities.expires_at,
        1 + activities.likes_count + activities.reposts_count AS worth
    FROM activities
    WHERE activities.expires_at > now()
      AND activities.expires_at <= 'infinity'
      AND activities.reply_to_activity_uuid IS NULL
),
counted AS MATERIALIZED (
    SELECT
        liked.user_uuid,
        sum(liked.worth)::integer AS score,
        coalesce(sum(liked.worth) FILTER (WHERE liked.expires_at > now() + :horizon), 0)::integer AS lasting,
        array_agg(liked.expires_at) FILTER (WHERE liked.expires_at <= now() + :horizon) AS ends,
        array_agg(liked.worth) FILTER (WHERE liked.expires_at <= now() + :horizon) AS falls
    FROM liked
    GROUP BY liked.user_uuid
),
last AS (
    SELECT
        counted.user_uuid,
        counted.lasting
    FROM counted
    ORDER BY counted.lasting DESC, counted.user_uuid
    OFFSET :limit - 1
    LIMIT 1
)
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    counted.score,
    counted.ends,
    counted.falls,
    now() AS read_at
FROM counted
JOIN users ON users.uuid = counted.user_uuid
LEFT JOIN last ON true
WHERE last.user_uuid IS NULL
   OR counted.score > last.lasting
   OR counted.score = last.lasting AND counted.user_uuid <= last.user_uuid
ORDER BY counted.user_uuid
