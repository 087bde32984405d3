-- Inserts a like of a live crud, once per user, and a notification for the crud's author. No row
-- unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
liked AS (
    INSERT INTO likes (activity_uuid, user_uuid)
    SELECT
        live_activities.uuid,
        viewer.uuid
    FROM viewer
    CROSS JOIN live_activities
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE live_activities.uuid = :uuid
      AND NOT EXISTS (
          SELECT FROM hidden_authors
          WHERE hidden_authors.viewer_uuid = viewer.uuid
            AND hidden_authors.author_uuid = live_activities.user_uuid
      )
    ON CONFLICT DO NOTHING
    RETURNING activity_uuid, user_uuid
),
notified AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)
    SELECT
        activities.user_uuid,
        liked.user_uuid,
        'like',
        liked.activity_uuid
    FROM liked
    JOIN activities ON activities.uuid = liked.activity_uuid
    WHERE activities.user_uuid <> liked.user_uuid
    ON CONFLICT DO NOTHING
)
SELECT viewer.uuid
FROM viewer
