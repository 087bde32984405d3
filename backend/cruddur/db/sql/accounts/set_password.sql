UPDATE accounts
SET password_hash = :password_hash
WHERE accounts.user_uuid = :user_uuid
