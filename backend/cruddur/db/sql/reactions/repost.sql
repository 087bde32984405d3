-- A repost of a live crud, once per person, and a word to its author.
WITH reposted AS (
    INSERT INTO reposts (activity_uuid, user_uuid)
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
    reposted.user_uuid,
    'repost',
    reposted.activity_uuid
FROM reposted
JOIN activities ON activities.uuid = reposted.activity_uuid
WHERE activities.user_uuid <> reposted.user_uuid
ON CONFLICT DO NOTHING
