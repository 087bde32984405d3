INSERT INTO signing_keys (kid, private_key)
SELECT
    :kid,
    :private_key
WHERE NOT EXISTS (SELECT FROM signing_keys)
