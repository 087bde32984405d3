-- Exchanges a refresh token for a new one of the same session; no row when it is over. A token
-- that was exchanged before keeps its successor, and `is_first` is false.
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
