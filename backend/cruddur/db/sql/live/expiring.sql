-- What expires in a stretch of time, swept or not.
SELECT
    activities.uuid,
    activities.user_uuid,
    activities.reply_to_activity_uuid AS parent_uuid,
    activities.expires_at
FROM activities
WHERE activities.expires_at > :after
  AND activities.expires_at <= COALESCE(:until, now())
UNION ALL
SELECT
    expired_activities.uuid,
    expired_activities.user_uuid,
    expired_activities.parent_uuid,
    expired_activities.expired_at AS expires_at
FROM expired_activities
WHERE expired_activities.expired_at > :after
  AND expired_activities.expired_at <= COALESCE(:until, now())
ORDER BY expires_at
LIMIT :limit
