-- Counts an attempt and tells how many there were in the running window.
INSERT INTO throttles (bucket, attempts, resets_at)
VALUES (:bucket, 1, now() + :period)
ON CONFLICT (bucket) DO UPDATE
    SET
        attempts = CASE WHEN throttles.resets_at > now() THEN throttles.attempts + 1 ELSE 1 END,
        resets_at = CASE WHEN throttles.resets_at > now() THEN throttles.resets_at ELSE EXCLUDED.resets_at END
RETURNING
    attempts,
    ceil(extract(epoch FROM resets_at - now()))::integer AS retry_after
