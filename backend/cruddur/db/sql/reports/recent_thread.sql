-- The live cruds that the deletion of a crud of the viewer deletes, as far as they were posted less
-- than :period ago: the crud and the replies below it.
WITH RECURSIVE thread AS (
    SELECT
        activities.uuid,
        activities.created_at,
        activities.expires_at
    FROM signed_in(:viewer, :session) AS viewer
    JOIN activities ON activities.user_uuid = viewer.uuid
    WHERE activities.uuid = :uuid
    UNION ALL
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
