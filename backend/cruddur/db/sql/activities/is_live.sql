-- Whether there is a live crud, whose author is not hidden from the viewer.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
)
SELECT
    EXISTS (
        SELECT FROM live_activities
        WHERE live_activities.uuid = :uuid
          AND NOT EXISTS (
              SELECT FROM hidden_authors
              WHERE hidden_authors.viewer_uuid = (SELECT viewer.uuid FROM viewer)
                AND hidden_authors.author_uuid = live_activities.user_uuid
          )
    ) AS is_live
