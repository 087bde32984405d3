DELETE FROM used_uploads
WHERE expires_at BETWEEN '-infinity' AND now()
