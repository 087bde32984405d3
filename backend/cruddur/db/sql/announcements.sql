-- name: create
-- Inserts an announcement, unless there are too many.
INSERT INTO announcements (message, expires_at)
SELECT
    :message,
    now() + :lifetime
FROM set_config('cruddur.traceparent', :traceparent, true)
WHERE (
    SELECT count(*)
    FROM announcements
    WHERE announcements.expires_at > now()
) < :max_announcements
RETURNING uuid, message, created_at, expires_at

-- name: delete
DELETE FROM announcements
USING set_config('cruddur.traceparent', :traceparent, true)
WHERE announcements.uuid = :uuid
  AND announcements.expires_at > now()
RETURNING announcements.uuid
