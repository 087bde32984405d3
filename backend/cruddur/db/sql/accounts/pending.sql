-- The latest unconfirmed sign-up of an address or a handle.
SELECT signups.password_hash
FROM signups
WHERE (signups.email = :login OR signups.handle = :login)
  AND signups.expires_at > now()
  AND NOT EXISTS (SELECT FROM accounts WHERE accounts.email = signups.email)
ORDER BY signups.uuid DESC
LIMIT 1
