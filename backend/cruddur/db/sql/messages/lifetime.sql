-- The lifetime of the next messages between the viewer and the user of a handle. No row unless the
-- viewer's session is open. `is_known` is false if there is no such user, or one of both blocks the other.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
)
SELECT
    other.uuid IS NOT NULL AS is_known,
    message_groups.lifetime
FROM viewer
LEFT JOIN LATERAL (
    {visible_person}
) AS other ON true
LEFT JOIN message_groups
    ON message_groups.low_user_uuid = LEAST(viewer.uuid, other.uuid)
    AND message_groups.high_user_uuid = GREATEST(viewer.uuid, other.uuid)
