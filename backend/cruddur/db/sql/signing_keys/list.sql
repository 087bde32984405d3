-- The newest that has settled signs; while none has, the oldest.
SELECT signing_keys.private_key
FROM signing_keys
ORDER BY
    signing_keys.created_at <= now() - :settle::interval DESC,
    CASE
        WHEN signing_keys.created_at <= now() - :settle::interval THEN signing_keys.created_at
    END DESC,
    signing_keys.created_at,
    signing_keys.kid
