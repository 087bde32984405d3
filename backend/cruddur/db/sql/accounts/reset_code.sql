SELECT
    password_resets.user_uuid,
    password_resets.code_hash
FROM password_resets
JOIN accounts ON accounts.user_uuid = password_resets.user_uuid
WHERE accounts.email = :email
  AND password_resets.expires_at > now()
