DELETE FROM signups
WHERE expires_at BETWEEN '-infinity' AND now()
