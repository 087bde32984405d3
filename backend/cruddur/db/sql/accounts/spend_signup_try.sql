-- One try at every code that this address waits to enter.
UPDATE signup_attempts
SET tries_left = tries_left - 1
FROM signups
WHERE signups.uuid = signup_attempts.signup_uuid
  AND signups.email = :email
  AND signup_attempts.tries_left > 0
  AND signup_attempts.code_expires_at > now()
RETURNING signup_attempts.uuid, signup_attempts.code_hash
