-- name: spend
-- Adds the spending of this worker to each bucket, and returns the seconds until it is full again.
-- Ordered by key, so that two workers cannot deadlock.
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
