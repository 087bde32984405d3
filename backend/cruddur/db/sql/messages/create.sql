-- Inserts a message and a notification for the other member, unless it is a request. No row if the
-- viewer is not a member, if one of the members blocks the other, or unless the viewer's session is
-- open. `uuid` is NULL if the other member does not accept messages from the viewer.
--
-- The time is taken while the conversation is locked, not when the transaction begins. So messages
-- become visible in the order of their times, and a message that a reader could not see yet is
-- later than all that the reader saw (messages/list.sql depends on this).
WITH locked AS MATERIALIZED (
    {locked_conversation}
),
recipient AS MATERIALIZED (
    {recipient}
),
sent AS MATERIALIZED (
    SELECT
        locked.uuid,
        locked.user_uuid,
        locked.lifetime,
        clock_timestamp() AS at
    FROM locked
    CROSS JOIN recipient
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE recipient.accepts
),
created AS (
    INSERT INTO messages (message_group_uuid, user_uuid, message, created_at, expires_at)
    SELECT
        sent.uuid,
        sent.user_uuid,
        :message,
        sent.at,
        COALESCE(sent.at + sent.lifetime, 'infinity')
    FROM sent
    RETURNING uuid, message_group_uuid, user_uuid, message, created_at, expires_at
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
    NULLIF(created.expires_at, 'infinity') AS expires_at,
    'text' AS kind,
    NULL::interval AS lifetime,
    created.message_group_uuid
FROM locked
JOIN users ON users.uuid = locked.user_uuid
LEFT JOIN created ON true
