DELETE FROM signups
WHERE expires_at <= now()
