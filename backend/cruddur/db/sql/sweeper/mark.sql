-- So that a stream that is open never has a place that is about to be forgotten.
SELECT record_event('mark')
WHERE NOT EXISTS (
    SELECT FROM events
    WHERE events.kind = 'mark'
      AND events.created_at > now() - interval '5 minutes'
)
