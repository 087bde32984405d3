WITH pointed AS (
    UPDATE users
    SET avatar_digest = :digest
    WHERE users.uuid = :user_uuid
    RETURNING uuid, avatar_url
),
saved AS (
    INSERT INTO avatars (user_uuid, jpeg)
    SELECT
        pointed.uuid,
        :jpeg
    FROM pointed
    ON CONFLICT (user_uuid) DO UPDATE SET jpeg = EXCLUDED.jpeg
)
SELECT pointed.avatar_url
FROM pointed
