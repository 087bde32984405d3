-- Exchanges a refresh token for a new one of the same session; no row when it is over.
WITH used AS (
    UPDATE refresh_tokens
    SET used_at = COALESCE(used_at, now())
    WHERE refresh_tokens.token_hash = :token_hash
    RETURNING session_uuid
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
    RETURNING sessions.uuid
)
INSERT INTO refresh_tokens (token_hash, session_uuid)
SELECT
    :new_token_hash,
    touched.uuid
FROM touched
RETURNING session_uuid
