-- Begins the windows of buckets again, without any attempt.
INSERT INTO throttles (bucket, attempts, resets_at)
SELECT
    encode(sha256(convert_to(restarted.bucket, 'UTF8')), 'hex') AS bucket,
    0,
    now() + :period
FROM unnest(:buckets::text[]) AS restarted (bucket)
ORDER BY 1
ON CONFLICT (bucket) DO UPDATE
    SET
        attempts = 0,
        resets_at = EXCLUDED.resets_at
