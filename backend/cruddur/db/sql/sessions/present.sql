-- The open session of a refresh token; `is_reused` when the token was exchanged before, longer ago than two requests of one browser lie apart.
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
