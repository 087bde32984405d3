-- The tags that most live cruds carry.
SELECT
    activity_tags.tag,
    count(*)::integer AS count
FROM activity_tags
JOIN activities ON activities.uuid = activity_tags.activity_uuid
WHERE activities.expires_at > now()
GROUP BY activity_tags.tag
ORDER BY count(*) DESC, activity_tags.tag
LIMIT :limit
