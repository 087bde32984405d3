-- Begins the window of a bucket, unless it has one.
INSERT INTO throttles (bucket, attempts, resets_at)
VALUES (encode(sha256(convert_to(:bucket, 'UTF8')), 'hex'), 0, now() + :period)
ON CONFLICT (bucket) DO UPDATE
    SET
        attempts = 0,
        resets_at = EXCLUDED.resets_at
    WHERE throttles.resets_at <= now()
