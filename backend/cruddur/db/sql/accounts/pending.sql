-- The latest unconfirmed attempt of an address or a handle, whether or not the address
-- has an account: signing in must not tell the two apart.
SELECT signup_attempts.password_hash
FROM signups
JOIN signup_attempts ON signup_attempts.signup_uuid = signups.uuid
WHERE (signups.email = :login OR signups.handle = :login)
  AND signups.expires_at > now()
ORDER BY signup_attempts.uuid DESC
LIMIT 1
