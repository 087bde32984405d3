UPDATE throttles
SET attempts = GREATEST(0, attempts - 1)
WHERE throttles.bucket IN (
    SELECT encode(sha256(convert_to(forgiven.bucket, 'UTF8')), 'hex')
    FROM unnest(:buckets::text[]) AS forgiven (bucket)
)
