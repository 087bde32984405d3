-- Who a token speaks for, and whether the session it names is still open.
SELECT
    users.uuid,
    users.handle,
    users.issuer,
    users.subject,
    (
        :session_uuid::uuid IS NULL
        OR EXISTS (
            SELECT FROM sessions
            WHERE sessions.uuid = :session_uuid
              AND sessions.user_uuid = users.uuid
              AND sessions.expires_at > now()
        )
    ) AS session_is_open
FROM users
WHERE users.issuer = :issuer
  AND users.subject = :subject
