-- name: create
-- Inserts a token with its session. No row unless the viewer's own session is open, or if the viewer
-- has :max_tokens.
WITH created AS (
    INSERT INTO sessions (user_uuid, device, address, method, expires_at)
    SELECT
        viewer.uuid,
        '',
        :address,
        'api_token',
        now() + :lifetime
    FROM signed_in(:viewer, :session) AS viewer
    WHERE (
        SELECT count(*)
        FROM sessions
        WHERE sessions.user_uuid = :viewer
          AND sessions.method = 'api_token'
          AND sessions.expires_at > now()
    ) < :max_tokens
    RETURNING
        uuid,
        created_at,
        expires_at
),
token AS (
    INSERT INTO api_tokens (session_uuid, token_hash, name, scopes)
    SELECT
        created.uuid,
        :token_hash,
        :name,
        :scopes
    FROM created
)
SELECT
    created.uuid,
    created.created_at,
    created.expires_at
FROM created

-- name: list
-- The viewer's tokens. No row unless the viewer's own session is open; one row of NULLs if there is
-- no token.
SELECT
    sessions.uuid,
    api_tokens.name,
    api_tokens.scopes,
    sessions.created_at,
    NULLIF(sessions.used_at, sessions.created_at) AS used_at,
    sessions.expires_at
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN (
    sessions
    JOIN api_tokens ON api_tokens.session_uuid = sessions.uuid
)
    ON sessions.user_uuid = viewer.uuid
    AND sessions.expires_at > now()
ORDER BY sessions.created_at DESC, sessions.uuid DESC

-- name: revoke
-- Ends a token of the viewer. No row if there is no such token, or unless the viewer's own session is
-- open.
DELETE FROM sessions
USING signed_in(:viewer, :session) AS viewer
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE sessions.uuid = :uuid
  AND sessions.user_uuid = viewer.uuid
  AND sessions.method = 'api_token'

-- name: use
-- Notes that a token is used, and returns its user and scopes. No row if there is no such token, or
-- if it has expired.
UPDATE sessions
SET used_at = now()
FROM api_tokens
CROSS JOIN users
WHERE api_tokens.token_hash = :token_hash
  AND sessions.uuid = api_tokens.session_uuid
  AND sessions.expires_at > now()
  AND users.uuid = sessions.user_uuid
RETURNING
    users.uuid AS user_uuid,
    users.handle,
    users.issuer,
    users.subject,
    sessions.uuid AS session_uuid,
    sessions.expires_at,
    api_tokens.scopes
