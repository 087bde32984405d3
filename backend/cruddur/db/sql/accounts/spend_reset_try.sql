UPDATE password_resets
SET tries_left = tries_left - 1
FROM accounts
WHERE accounts.user_uuid = password_resets.user_uuid
  AND accounts.email = :email
  AND password_resets.tries_left > 0
  AND password_resets.expires_at > now()
RETURNING password_resets.user_uuid, password_resets.code_hash
