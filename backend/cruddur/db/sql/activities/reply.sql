-- A reply to a live crud, its tags, and a word to the author and to everybody mentioned.
-- No row when there is no such crud any more, when the author is gone, or when the session, if
-- one is named, is not open. The trigger takes over the parent's expiry.
WITH author AS (
    SELECT
        users.uuid,
        users.display_name,
        users.handle,
        users.avatar_url
    FROM users
    WHERE users.uuid = :user_uuid
      AND (
          :session_uuid::uuid IS NULL
          OR EXISTS (
              SELECT FROM sessions
              WHERE sessions.uuid = :session_uuid
                AND sessions.user_uuid = users.uuid
                AND sessions.expires_at > now()
          )
      )
),
parent AS (
    SELECT
        live_activities.uuid,
        live_activities.user_uuid,
        live_activities.expires_at
    FROM live_activities
    WHERE live_activities.uuid = :parent_uuid
),
created AS (
    INSERT INTO activities (user_uuid, message, expires_at, reply_to_activity_uuid)
    SELECT
        author.uuid,
        :message,
        parent.expires_at,
        parent.uuid
    FROM author
    CROSS JOIN parent
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
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
told AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)
    SELECT
        parent.user_uuid,
        created.user_uuid,
        'reply',
        created.uuid
    FROM created
    CROSS JOIN parent
    WHERE parent.user_uuid <> created.user_uuid
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
    CROSS JOIN parent
    WHERE users.uuid <> created.user_uuid
      AND users.uuid <> parent.user_uuid
)
SELECT
    created.uuid,
    author.display_name,
    author.handle,
    author.avatar_url,
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
CROSS JOIN author
