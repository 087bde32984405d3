-- Sets the lifetime of the next messages of a conversation, NULL for none, and inserts the line that says
-- so, with that lifetime. Setting it to what it is changes nothing. No row if the viewer is not a
-- member, if one of the members blocks the other, or unless the viewer's session is open. The row is
-- false if the other member does not accept messages from the viewer.
WITH locked AS MATERIALIZED (
    {locked_conversation}
),
recipient AS MATERIALIZED (
    {recipient}
),
changed AS (
    UPDATE message_groups
    SET lifetime = :lifetime
    FROM locked
    CROSS JOIN recipient
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE message_groups.uuid = locked.uuid
      AND recipient.accepts
      AND locked.lifetime IS DISTINCT FROM :lifetime
    RETURNING message_groups.uuid, locked.user_uuid, clock_timestamp() AS at
),
line AS (
    INSERT INTO messages (
        message_group_uuid, user_uuid, message, created_at, kind, lifetime, expires_at
    )
    SELECT
        changed.uuid,
        changed.user_uuid,
        :message,
        changed.at,
        'lifetime',
        :lifetime,
        COALESCE(changed.at + :lifetime, 'infinity')
    FROM changed
)
SELECT recipient.accepts
FROM recipient
