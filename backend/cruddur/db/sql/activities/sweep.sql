-- Removes a batch of what has expired. Skipping locked rows, it never waits for a writer.
DELETE FROM activities
WHERE activities.uuid IN (
    SELECT expired.uuid
    FROM activities AS expired
    WHERE expired.expires_at <= now()
    ORDER BY expired.expires_at
    LIMIT :batch
    FOR UPDATE SKIP LOCKED
)
