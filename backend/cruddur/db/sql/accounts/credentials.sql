-- The account of an address or a handle.
SELECT
    accounts.user_uuid,
    accounts.email,
    accounts.password_hash
FROM accounts
JOIN users ON users.uuid = accounts.user_uuid
WHERE accounts.email = :login
   OR users.handle = :login
