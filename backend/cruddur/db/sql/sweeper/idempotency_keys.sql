DELETE FROM idempotency_keys
WHERE created_at BETWEEN '-infinity' AND now() - interval '24 hours'
