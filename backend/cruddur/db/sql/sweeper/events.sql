-- Whoever was away for longer starts over.
DELETE FROM events
WHERE created_at <= now() - interval '15 minutes'
