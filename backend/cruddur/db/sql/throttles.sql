-- name: attempt
-- Counts an attempt and returns the number of attempts in the current window. A bucket is named
-- after an e-mail address, so only its digest is stored.
INSERT INTO throttles (bucket, attempts, resets_at)
VALUES (encode(sha256(convert_to(:bucket, 'UTF8')), 'hex'), 1, now() + :period)
ON CONFLICT (bucket) DO UPDATE
    SET
        attempts = CASE WHEN throttles.resets_at > now() THEN throttles.attempts + 1 ELSE 1 END,
        resets_at = CASE WHEN throttles.resets_at > now() THEN throttles.resets_at ELSE EXCLUDED.resets_at END
RETURNING
    attempts,
    ceil(extract(epoch FROM resets_at - now()))::integer AS retry_after

-- name: attempt_open
-- Counts an attempt in a bucket with an open window. No row if the window is closed.
UPDATE throttles
SET attempts = attempts + 1
WHERE throttles.bucket = encode(sha256(convert_to(:bucket, 'UTF8')), 'hex')
  AND throttles.resets_at > now()
RETURNING attempts

-- name: forgive
UPDATE throttles
SET attempts = GREATEST(0, attempts - 1)
WHERE throttles.bucket IN (
    SELECT encode(sha256(convert_to(forgiven.bucket, 'UTF8')), 'hex')
    FROM unnest(:buckets::text[]) AS forgiven (bucket)
)

-- name: open
-- Opens the window of a bucket, unless it is open.
INSERT INTO throttles (bucket, attempts, resets_at)
VALUES (encode(sha256(convert_to(:bucket, 'UTF8')), 'hex'), 0, now() + :period)
ON CONFLICT (bucket) DO UPDATE
    SET
        attempts = 0,
        resets_at = EXCLUDED.resets_at
    WHERE throttles.resets_at <= now()

-- name: restart
-- Restarts the windows of buckets with zero attempts.
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
