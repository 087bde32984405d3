UPDATE users
SET
    display_name = :display_name,
    bio = :bio
WHERE users.uuid = :uuid
RETURNING
    uuid,
    subject AS cognito_user_uuid,
    handle,
    display_name,
    bio,
    avatar_url
