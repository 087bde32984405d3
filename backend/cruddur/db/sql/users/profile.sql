SELECT
    users.uuid,
    users.subject AS cognito_user_uuid,
    users.handle,
    users.display_name,
    users.bio,
    users.avatar_url,
    (
        SELECT count(*)
        FROM activities
        WHERE activities.user_uuid = users.uuid
          AND activities.reply_to_activity_uuid IS NULL
          AND activities.expires_at > now()
    )::integer AS cruds_count
FROM users
WHERE users.handle = lower(:handle)
