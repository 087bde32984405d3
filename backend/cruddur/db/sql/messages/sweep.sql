-- Deletes a batch of expired messages, as activities/sweep.sql does with cruds.
DELETE FROM messages
WHERE messages.uuid IN (
    SELECT expired.uuid
    FROM messages AS expired
    WHERE expired.expires_at BETWEEN '-infinity' AND now()
      AND expired.expires_at < 'infinity'
    ORDER BY expired.expires_at
    LIMIT (SELECT :batch::bigint)
    FOR UPDATE SKIP LOCKED
)
