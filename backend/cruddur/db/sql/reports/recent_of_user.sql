-- The live cruds that the deletion of a user deletes, as far as they were posted less than :period
-- ago: the user's, and the replies below them.
WITH RECURSIVE thread AS (
    SELECT
        activities.uuid,
        activities.created_at,
        activities.expires_at
    FROM activities
    WHERE activities.user_uuid = :user_uuid
    UNION
    SELECT
        replies.uuid,
        replies.created_at,
        replies.expires_at
    FROM thread
    JOIN activities AS replies ON replies.reply_to_activity_uuid = thread.uuid
)
{evidence_of_cruds}
WHERE activities.uuid = ANY(ARRAY(
    SELECT thread.uuid
    FROM thread
    WHERE thread.created_at > now() - :period::interval
      AND thread.expires_at > now()
    ORDER BY thread.created_at
    LIMIT :limit
))
