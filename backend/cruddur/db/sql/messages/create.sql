-- Inserts a message and a notification for the other member. No row if the viewer is not a member,
-- or unless the viewer's session is open.
--
-- The time is taken while the conversation is locked, not when the transaction begins. So messages
-- become visible in the order of their times, and a message that a reader could not see yet is
-- later than all that the reader saw (messages/list.sql depends on this).
WITH locked AS MATERIALIZED (
    SELECT
        message_groups.uuid,
        viewer.uuid AS user_uuid
    FROM signed_in(:viewer, :session) AS viewer
    JOIN message_groups ON viewer.uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
    WHERE message_groups.uuid = :message_group_uuid
    FOR NO KEY UPDATE OF message_groups
),
created AS (
    INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)
    SELECT
        locked.uuid,
        locked.user_uuid,
        :message,
        clock_timestamp()
    FROM locked
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    RETURNING uuid, message_group_uuid, user_uuid, message, created_at
),
notified AS (
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
