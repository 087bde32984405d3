DELETE FROM used_uploads
WHERE expires_at <= now()
