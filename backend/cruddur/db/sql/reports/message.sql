-- A live message that the viewer has received, as evidence: with its author, their picture, and up to three
-- messages before it and after it, the nearest first. No row unless the viewer's session is open.
SELECT
    messages.uuid,
    messages.message,
    messages.created_at,
    messages.expires_at,
    users.uuid AS user_uuid,
    users.handle,
    users.display_name,
    users.bio,
    avatars.jpeg AS avatar,
    (
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'uuid', earlier.uuid,
                    'handle', earlier.handle,
                    'display_name', earlier.display_name,
                    'message', earlier.message,
                    'created_at', earlier.created_at
                )
                ORDER BY earlier.created_at DESC, earlier.uuid DESC
            )
        FROM (
            SELECT
                others.uuid,
                others.message,
                others.created_at,
                authors.handle,
                authors.display_name
            FROM live_messages AS others
            JOIN users AS authors ON authors.uuid = others.user_uuid
            WHERE others.message_group_uuid = messages.message_group_uuid
              AND (others.created_at, others.uuid) < (messages.created_at, messages.uuid)
            ORDER BY others.created_at DESC, others.uuid DESC
            LIMIT 3
        ) AS earlier
    ) AS before,
    (
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'uuid', later.uuid,
                    'handle', later.handle,
                    'display_name', later.display_name,
                    'message', later.message,
                    'created_at', later.created_at
                )
                ORDER BY later.created_at, later.uuid
            )
        FROM (
            SELECT
                others.uuid,
                others.message,
                others.created_at,
                authors.handle,
                authors.display_name
            FROM live_messages AS others
            JOIN users AS authors ON authors.uuid = others.user_uuid
            WHERE others.message_group_uuid = messages.message_group_uuid
              AND (others.created_at, others.uuid) > (messages.created_at, messages.uuid)
            ORDER BY others.created_at, others.uuid
            LIMIT 3
        ) AS later
    ) AS after
FROM signed_in(:viewer, :session) AS viewer
JOIN message_groups ON viewer.uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
JOIN live_messages AS messages ON messages.message_group_uuid = message_groups.uuid
JOIN users ON users.uuid = messages.user_uuid
LEFT JOIN avatars
    ON avatars.user_uuid = users.uuid
    AND users.avatar_digest IS NOT NULL
WHERE messages.uuid = :uuid
