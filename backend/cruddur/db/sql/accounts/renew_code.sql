-- A new code for the latest sign-up of an address without an account.
UPDATE signups
SET
    code_hash = :code_hash,
    tries_left = :tries,
    code_expires_at = now() + interval '15 minutes'
WHERE signups.uuid = (
    SELECT latest.uuid
    FROM signups AS latest
    WHERE latest.email = :email
      AND latest.expires_at > now()
      AND NOT EXISTS (SELECT FROM accounts WHERE accounts.email = :email)
    ORDER BY latest.uuid DESC
    LIMIT 1
)
RETURNING handle
