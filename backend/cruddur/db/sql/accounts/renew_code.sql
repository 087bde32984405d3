-- A new code for the latest attempt of an address without an account.
UPDATE signup_attempts
SET
    code_hash = :code_hash,
    tries_left = DEFAULT,
    code_expires_at = now() + interval '15 minutes'
FROM signups
WHERE signups.uuid = signup_attempts.signup_uuid
  AND signup_attempts.uuid = (
      SELECT latest.uuid
      FROM signup_attempts AS latest
      JOIN signups AS waiting ON waiting.uuid = latest.signup_uuid
      WHERE waiting.email = :email
        AND waiting.expires_at > now()
        AND NOT EXISTS (SELECT FROM accounts WHERE accounts.email = :email)
      ORDER BY latest.uuid DESC
      LIMIT 1
  )
RETURNING signups.handle
