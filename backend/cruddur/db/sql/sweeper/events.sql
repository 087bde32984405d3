-- Whoever was away for longer starts over.
DELETE FROM events
WHERE created_at BETWEEN '-infinity' AND now() - interval '15 minutes'
