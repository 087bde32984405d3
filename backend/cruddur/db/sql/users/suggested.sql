-- People whose live cruds are liked and reposted most, the viewer aside.
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM activities
JOIN users ON users.uuid = activities.user_uuid
WHERE activities.expires_at > now()
  AND activities.reply_to_activity_uuid IS NULL
  AND users.uuid IS DISTINCT FROM :viewer
GROUP BY users.uuid
ORDER BY sum(1 + activities.likes_count + activities.reposts_count) DESC, users.uuid
LIMIT :limit
