-- The account of an address or a handle, each by its own index.
SELECT
    accounts.user_uuid,
    accounts.email,
    accounts.password_hash
FROM accounts
WHERE accounts.email = :login
UNION ALL
SELECT
    accounts.user_uuid,
    accounts.email,
    accounts.password_hash
FROM users
JOIN accounts ON accounts.user_uuid = users.uuid
WHERE users.handle = :login
