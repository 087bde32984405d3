-- A new crud, its tags, and a word to everybody it mentions, in one round trip. No row when the
-- author is gone, or the session, if one is named, is not open.
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
created AS (
    INSERT INTO activities (user_uuid, message, expires_at)
    SELECT
        author.uuid,
        :message,
        now() + :lifetime
    FROM author
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
