-- Whether somebody who was let in a moment ago would be let in now.
SELECT EXISTS (
    SELECT FROM users
    WHERE users.uuid = :user_uuid
      AND (
          :session_uuid::uuid IS NULL
          OR EXISTS (SELECT FROM sessions WHERE sessions.uuid = :session_uuid)
      )
)
