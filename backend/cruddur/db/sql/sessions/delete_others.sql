-- Ends every session of a person but one; NULL spares none.
DELETE FROM sessions
WHERE sessions.user_uuid = :user_uuid
  AND sessions.uuid IS DISTINCT FROM :kept_uuid
RETURNING sealed_token
