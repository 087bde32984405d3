-- One sign-in of a person after the other, so that each counts the sessions of those before.
SELECT
FROM users
WHERE users.uuid = :user_uuid
FOR NO KEY UPDATE
