-- The digests of the tokens that a refresh token was exchanged for, one after another.
WITH RECURSIVE chain AS (
    SELECT
        refresh_tokens.successor_hash,
        1 AS place
    FROM refresh_tokens
    WHERE refresh_tokens.token_hash = :token_hash
    UNION ALL
    SELECT
        following.successor_hash,
        chain.place + 1
    FROM chain
    JOIN refresh_tokens AS following ON following.token_hash = chain.successor_hash
)
SELECT chain.successor_hash
FROM chain
WHERE chain.successor_hash IS NOT NULL
ORDER BY chain.place
