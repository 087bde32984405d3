UPDATE throttles
SET attempts = GREATEST(0, attempts - 1)
WHERE throttles.bucket = ANY(:buckets)
