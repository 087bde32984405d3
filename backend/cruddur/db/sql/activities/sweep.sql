-- Deletes a batch of expired cruds and skips rows that a writer has locked. The planner cannot
-- see the value of LIMIT (activities/home.sql explains why).
DELETE FROM activities
WHERE activities.uuid IN (
    SELECT expired.uuid
    FROM activities AS expired
    WHERE expired.expires_at BETWEEN '-infinity' AND now()
    ORDER BY expired.expires_at
    LIMIT (SELECT :batch::bigint)
    FOR UPDATE SKIP LOCKED
)
