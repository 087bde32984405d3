SELECT refresh_tokens.session_uuid
FROM refresh_tokens
WHERE refresh_tokens.token_hash = :token_hash
