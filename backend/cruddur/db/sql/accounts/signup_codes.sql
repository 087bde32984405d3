-- The codes that this address waits to enter.
SELECT
    signup_attempts.uuid,
    signup_attempts.code_hash
FROM signup_attempts
JOIN signups ON signups.uuid = signup_attempts.signup_uuid
WHERE signups.email = :email
  AND signup_attempts.code_expires_at > now()
