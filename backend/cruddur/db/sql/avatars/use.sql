INSERT INTO used_uploads (user_uuid, uuid, expires_at)
VALUES (:user_uuid, :uuid, now() + :lifetime)
ON CONFLICT DO NOTHING
