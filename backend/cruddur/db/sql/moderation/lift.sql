-- Ends the limit and the suspension of an account.
UPDATE users
SET
    limited_until = NULL,
    suspended_until = NULL
WHERE users.uuid = :user_uuid
