WITH created AS (
    INSERT INTO sessions (user_uuid, device, address, sealed_token, expires_at)
    VALUES (:user_uuid, :device, :address, :sealed_token, now() + :lifetime)
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
