DELETE FROM sessions
WHERE expires_at BETWEEN '-infinity' AND now()
