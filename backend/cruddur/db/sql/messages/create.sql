-- A message from a member of the conversation, and a word to the other. No row when the
-- sender is not a member.
--
-- Its time is taken while the conversation is locked, not when the transaction began: in
-- the order of their times messages become visible, and none is older than a reading
-- that could not see it.
WITH locked AS MATERIALIZED (
    SELECT message_groups.uuid
    FROM message_groups
    WHERE message_groups.uuid = :message_group_uuid
      AND :user_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
    FOR NO KEY UPDATE
),
created AS (
    INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)
    SELECT
        locked.uuid,
        :user_uuid,
        :message,
        clock_timestamp()
    FROM locked
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    RETURNING uuid, message_group_uuid, user_uuid, message, created_at
),
told AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind, message_uuid)
    SELECT
        CASE message_groups.low_user_uuid
            WHEN created.user_uuid THEN message_groups.high_user_uuid
            ELSE message_groups.low_user_uuid
        END,
        created.user_uuid,
        'message',
        created.uuid
    FROM created
    JOIN message_groups ON message_groups.uuid = created.message_group_uuid
)
SELECT
    created.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    created.message,
    created.created_at,
    created.message_group_uuid
FROM created
JOIN users ON users.uuid = created.user_uuid
