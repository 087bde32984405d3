SELECT
    sessions.uuid,
    sessions.device,
    sessions.address,
    sessions.created_at,
    sessions.used_at
FROM sessions
WHERE sessions.user_uuid = :user_uuid
  AND sessions.expires_at > now()
ORDER BY sessions.used_at DESC, sessions.uuid DESC
