-- How far the log of events is, and the time by the clock that alone decides what is visible.
SELECT
    COALESCE((SELECT max(events.id) FROM events), 0) AS latest,
    clock_timestamp() AS clock
