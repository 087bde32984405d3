-- name: create
WITH created AS (
    INSERT INTO sessions (user_uuid, device, address, method, sealed_token, expires_at)
    VALUES (:user_uuid, :device, :address, :method, :sealed_token, now() + :lifetime)
    RETURNING uuid
),
issued AS (
    INSERT INTO refresh_tokens (token_hash, session_uuid)
    SELECT
        :token_hash,
        created.uuid
    FROM created
)
SELECT created.uuid
FROM created

-- name: delete
DELETE FROM sessions
WHERE sessions.uuid = :uuid
  AND sessions.user_uuid = :user_uuid
RETURNING sealed_token

-- name: delete_oldest
-- Ends the least recently used sessions of a user, beyond a number. API tokens do not count.
DELETE FROM sessions
WHERE sessions.uuid IN (
    SELECT older.uuid
    FROM sessions AS older
    WHERE older.user_uuid = :user_uuid
      AND older.method <> 'api_token'
    ORDER BY
        older.used_at DESC,
        older.uuid DESC
    OFFSET :max_kept
)
RETURNING sealed_token

-- name: delete_others
-- Ends every session of a user except one; NULL: all of them. API tokens stay with :keeps_tokens.
DELETE FROM sessions
WHERE sessions.user_uuid = :user_uuid
  AND sessions.uuid IS DISTINCT FROM :kept_uuid
  AND NOT (:keeps_tokens AND sessions.method = 'api_token')
RETURNING sealed_token

-- name: is_open
SELECT EXISTS (SELECT FROM signed_in(:viewer, :session))

-- name: list
-- The viewer's open sessions without API tokens. No row unless the viewer's own session is open; one
-- row of NULLs if there is no session.
SELECT
    sessions.uuid,
    sessions.device,
    sessions.address,
    sessions.method,
    sessions.created_at,
    sessions.used_at
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN sessions
    ON sessions.user_uuid = viewer.uuid
    AND sessions.expires_at > now()
    AND sessions.method <> 'api_token'
ORDER BY sessions.used_at DESC, sessions.uuid DESC

-- name: lock
-- Serializes the sign-ins of a user, so that each counts the sessions of the previous ones, and whether
-- the user may sign in.
SELECT COALESCE(users.suspended_until > now(), false) AS is_suspended
FROM users
WHERE users.uuid = :user_uuid
FOR NO KEY UPDATE

-- name: of_token
SELECT refresh_tokens.session_uuid
FROM refresh_tokens
WHERE refresh_tokens.token_hash = :token_hash

-- name: present
-- The open session of a refresh token. `is_reused`: the token was exchanged longer ago than two
-- concurrent requests of one browser can be apart.
SELECT
    sessions.uuid,
    sessions.user_uuid,
    sessions.sealed_token,
    refresh_tokens.used_at IS NOT NULL
        AND refresh_tokens.used_at < now() - interval '10 seconds' AS is_reused
FROM refresh_tokens
JOIN sessions ON sessions.uuid = refresh_tokens.session_uuid
WHERE refresh_tokens.token_hash = :token_hash
  AND sessions.expires_at > now()

-- name: revoke
-- Ends a session of the viewer, but no API token. No row if there is no such session, or unless the
-- viewer's own session is open.
DELETE FROM sessions
USING signed_in(:viewer, :session) AS viewer
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE sessions.uuid = :uuid
  AND sessions.user_uuid = viewer.uuid
  AND sessions.method <> 'api_token'
RETURNING sessions.sealed_token

-- name: rotate
-- Exchanges a refresh token for a new one of the same session. No row if the session has ended. A
-- token that was exchanged before keeps its successor, and `is_first` is false.
WITH used AS (
    UPDATE refresh_tokens
    SET
        used_at = COALESCE(used_at, now()),
        successor_hash = COALESCE(successor_hash, :new_token_hash)
    WHERE refresh_tokens.token_hash = :token_hash
    RETURNING
        session_uuid,
        old.successor_hash IS NULL AS is_first
),
touched AS (
    UPDATE sessions
    SET
        used_at = now(),
        address = :address,
        expires_at = now() + :lifetime,
        sealed_token = COALESCE(:sealed_token, sealed_token)
    FROM used
    WHERE sessions.uuid = used.session_uuid
    RETURNING
        sessions.uuid,
        used.is_first
),
issued AS (
    INSERT INTO refresh_tokens (token_hash, session_uuid)
    SELECT
        :new_token_hash,
        touched.uuid
    FROM touched
    WHERE touched.is_first
)
SELECT touched.is_first
FROM touched

-- name: successors
-- The digests of the successors of a refresh token, in their order.
WITH RECURSIVE chain AS (
    SELECT
        refresh_tokens.successor_hash,
        1 AS place
    FROM refresh_tokens
    WHERE refresh_tokens.token_hash = :token_hash
    UNION ALL
    SELECT
        following.successor_hash,
        chain.place + 1
    FROM chain
    JOIN refresh_tokens AS following ON following.token_hash = chain.successor_hash
)
SELECT chain.successor_hash
FROM chain
WHERE chain.successor_hash IS NOT NULL
ORDER BY chain.place
