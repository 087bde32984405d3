DELETE FROM sessions
WHERE sessions.uuid = :uuid
  AND sessions.user_uuid = :user_uuid
RETURNING sealed_token
