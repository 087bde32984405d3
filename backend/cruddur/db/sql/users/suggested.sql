-- People whose live cruds are liked and reposted most, except the viewer. The second bound of
-- expires_at excludes no row (trends/tags.sql explains it).
WITH liked AS MATERIALIZED (
    SELECT
        activities.user_uuid,
        sum(1 + activities.likes_count + activities.reposts_count) AS weight
    FROM activities
    WHERE activities.expires_at > now()
      AND activities.expires_at <= 'infinity'
      AND activities.reply_to_activity_uuid IS NULL
      AND activities.user_uuid IS DISTINCT FROM :viewer
    GROUP BY activities.user_uuid
    ORDER BY weight DESC, activities.user_uuid
    LIMIT :limit
)
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM liked
JOIN users ON users.uuid = liked.user_uuid
ORDER BY liked.weight DESC, users.uuid
