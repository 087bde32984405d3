-- name: spend
-- Adds what this worker spent to each bucket, and returns how long each takes to fill up again.
-- In the order of their keys, so that two workers do not wait for each other.
INSERT INTO rates (bucket, full_at)
SELECT
    spent.bucket,
    now() + spent.seconds * interval '1 second'
FROM unnest(:buckets::bytea[], :seconds::float8[]) AS spent (bucket, seconds)
ORDER BY spent.bucket
ON CONFLICT (bucket) DO UPDATE
    SET full_at = greatest(rates.full_at, now()) + (EXCLUDED.full_at - now())
RETURNING
    bucket,
    extract(epoch FROM full_at - now())::float8 AS seconds
