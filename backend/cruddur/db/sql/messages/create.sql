-- Inserts a message and a notification for the other member, unless it is a request. No row if the
-- viewer is not a member, if one of the members blocks the other, or unless the viewer's session is
-- open. `uuid` is NULL if the other member does not accept messages from the viewer.
--
-- The time is taken while the conversation is locked, not when the transaction begins. So messages
-- become visible in the order of their times, and a message that a reader could not see yet is
-- later than all that the reader saw (messages/list.sql depends on this).
WITH locked AS MATERIALIZED (
    SELECT
        message_groups.uuid,
        viewer.uuid AS user_uuid,
        CASE message_groups.low_user_uuid
            WHEN viewer.uuid THEN message_groups.high_user_uuid
            ELSE message_groups.low_user_uuid
        END AS other_uuid,
        CASE message_groups.low_user_uuid
            WHEN viewer.uuid THEN message_groups.high_has_accepted
            ELSE message_groups.low_has_accepted
        END AS has_accepted
    FROM signed_in(:viewer, :session) AS viewer
    JOIN message_groups ON viewer.uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
    WHERE message_groups.uuid = :message_group_uuid
      AND NOT EXISTS (
          SELECT FROM blocks
          WHERE blocks.blocker_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
            AND blocks.blocked_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
      )
    FOR NO KEY UPDATE OF message_groups
),
recipient AS MATERIALIZED (
    SELECT
        users.uuid,
        locked.has_accepted OR is_follower.value AS has_accepted,
        locked.has_accepted
            OR users.message_policy = 'everyone'
            OR (users.message_policy = 'following' AND is_follower.value) AS accepts
    FROM locked
    JOIN users ON users.uuid = locked.other_uuid
    CROSS JOIN LATERAL (
        SELECT
            EXISTS (
                SELECT FROM follows
                WHERE follows.follower_uuid = locked.other_uuid
                  AND follows.followee_uuid = locked.user_uuid
            ) AS value
    ) AS is_follower
),
created AS (
    INSERT INTO messages (message_group_uuid, user_uuid, message, created_at)
    SELECT
        locked.uuid,
        locked.user_uuid,
        :message,
        clock_timestamp()
    FROM locked
    CROSS JOIN recipient
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE recipient.accepts
    RETURNING uuid, message_group_uuid, user_uuid, message, created_at
),
notified AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind, message_uuid)
    SELECT
        recipient.uuid,
        created.user_uuid,
        'message',
        created.uuid
    FROM created
    CROSS JOIN recipient
    WHERE recipient.has_accepted
)
SELECT
    created.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    created.message,
    created.created_at,
    created.message_group_uuid
FROM locked
JOIN users ON users.uuid = locked.user_uuid
LEFT JOIN created ON true
