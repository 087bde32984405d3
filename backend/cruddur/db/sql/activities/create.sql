-- A new crud, its tags, and a word to everybody it mentions, in one round trip.
WITH created AS (
    INSERT INTO activities (user_uuid, message, expires_at)
    SELECT
        :user_uuid,
        :message,
        now() + :lifetime
    FROM set_config('cruddur.traceparent', :traceparent, true)
    RETURNING uuid, user_uuid, message, created_at, expires_at, reply_to_activity_uuid
),
tagged AS (
    INSERT INTO activity_tags (activity_uuid, tag)
    SELECT
        created.uuid,
        tags.tag
    FROM created
    CROSS JOIN unnest(:tags::text[]) AS tags (tag)
),
mentioned AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)
    SELECT
        users.uuid,
        created.user_uuid,
        'mention',
        created.uuid
    FROM created
    JOIN users ON users.handle = ANY(:mentions::text[])
    WHERE users.uuid <> created.user_uuid
)
SELECT
    created.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    created.message,
    created.created_at,
    created.expires_at,
    0 AS replies_count,
    0 AS reposts_count,
    0 AS likes_count,
    created.reply_to_activity_uuid,
    false AS liked,
    false AS reposted
FROM created
JOIN users ON users.uuid = created.user_uuid
