-- One try at every code that this address waits to enter.
UPDATE signups
SET tries_left = tries_left - 1
WHERE signups.email = :email
  AND signups.tries_left > 0
  AND signups.code_expires_at > now()
RETURNING uuid, code_hash
