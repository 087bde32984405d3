-- When an event happened; no row when it is forgotten, or never was. Who was there before the
-- first has missed nothing as long as the first is known.
SELECT events.created_at
FROM events
WHERE events.id = COALESCE(NULLIF(:event_id::bigint, 0), 1)
