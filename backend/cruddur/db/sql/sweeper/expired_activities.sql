DELETE FROM expired_activities
WHERE expired_at <= now() - interval '20 minutes'
