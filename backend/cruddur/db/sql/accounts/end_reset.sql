DELETE FROM password_resets
WHERE password_resets.user_uuid = :user_uuid
  AND password_resets.code_hash = :code_hash
