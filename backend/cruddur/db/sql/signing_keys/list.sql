SELECT signing_keys.private_key
FROM signing_keys
ORDER BY signing_keys.created_at DESC, signing_keys.kid
