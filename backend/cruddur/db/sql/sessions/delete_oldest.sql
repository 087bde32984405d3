-- Ends the sessions of a person that were used longest ago, beyond a number.
DELETE FROM sessions
WHERE sessions.uuid IN (
    SELECT older.uuid
    FROM sessions AS older
    WHERE older.user_uuid = :user_uuid
    ORDER BY
        older.used_at DESC,
        older.uuid DESC
    OFFSET :most
)
RETURNING sealed_token
