-- Marks a person's notifications read up to a time; a later mark stays.
UPDATE users
SET notifications_read_at = :read_at
WHERE users.uuid = :user_uuid
  AND users.notifications_read_at < :read_at
