-- Counts an attempt of a bucket whose window has begun; no row when it has not.
UPDATE throttles
SET attempts = attempts + 1
WHERE throttles.bucket = encode(sha256(convert_to(:bucket, 'UTF8')), 'hex')
  AND throttles.resets_at > now()
RETURNING attempts
