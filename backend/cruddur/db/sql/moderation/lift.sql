-- Ends the suspension of an account.
UPDATE users
SET suspended_until = NULL
WHERE users.uuid = :user_uuid
