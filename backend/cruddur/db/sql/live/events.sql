-- What happened after an event, in its order.
SELECT
    events.id,
    events.kind,
    events.subject_uuid,
    events.user_uuid,
    events.parent_uuid,
    events.traceparent,
    events.created_at
FROM events
WHERE events.id > :after
  AND events.id <= COALESCE(:until, 9223372036854775807)
ORDER BY events.id
LIMIT :limit
