DELETE FROM password_resets
WHERE expires_at BETWEEN '-infinity' AND now()
