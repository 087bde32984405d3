-- Takes the sign-up of an attempt out of the queue, the other attempts with it.
DELETE FROM signups
USING signup_attempts
WHERE signup_attempts.uuid = :uuid
  AND signups.uuid = signup_attempts.signup_uuid
RETURNING
    signups.email,
    signups.handle,
    signup_attempts.display_name,
    signup_attempts.password_hash
