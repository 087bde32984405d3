-- Removes a batch of what has expired. It passes over rows that a writer holds.
DELETE FROM activities
WHERE activities.uuid IN (
    SELECT expired.uuid
    FROM activities AS expired
    WHERE expired.expires_at <= now()
    ORDER BY expired.expires_at
    LIMIT :batch
    FOR UPDATE SKIP LOCKED
)
