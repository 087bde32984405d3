-- Messages, and the two people of the conversation.
SELECT
    messages.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    messages.message,
    messages.created_at,
    messages.message_group_uuid,
    message_groups.low_user_uuid,
    message_groups.high_user_uuid
FROM messages
JOIN users ON users.uuid = messages.user_uuid
JOIN message_groups ON message_groups.uuid = messages.message_group_uuid
WHERE messages.uuid = ANY(:uuids::uuid[])
