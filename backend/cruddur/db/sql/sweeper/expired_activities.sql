DELETE FROM expired_activities
WHERE expired_at BETWEEN '-infinity' AND now() - interval '20 minutes'
