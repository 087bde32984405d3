WITH pointed AS (
    UPDATE users
    SET avatar_digest = :digest
    WHERE users.uuid = :user_uuid
    RETURNING uuid, subject, avatar_digest
),
saved AS (
    INSERT INTO avatars (user_uuid, jpeg)
    SELECT
        pointed.uuid,
        :jpeg
    FROM pointed
    ON CONFLICT (user_uuid) DO UPDATE SET jpeg = EXCLUDED.jpeg
)
SELECT '/api/avatars/' || pointed.subject || '.jpg?v=' || pointed.avatar_digest AS avatar_url
FROM pointed
