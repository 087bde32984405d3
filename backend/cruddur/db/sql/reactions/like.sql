-- A like of a live crud, once per person, and a word to its author.
WITH liked AS (
    INSERT INTO likes (activity_uuid, user_uuid)
    SELECT
        live_activities.uuid,
        :user_uuid
    FROM live_activities
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE live_activities.uuid = :uuid
    ON CONFLICT DO NOTHING
    RETURNING activity_uuid, user_uuid
)
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
