UPDATE users
SET
    display_name = :display_name,
    bio = :bio
FROM signed_in(:viewer, :session) AS viewer
WHERE users.uuid = viewer.uuid
RETURNING
    users.uuid,
    users.subject AS cognito_user_uuid,
    users.handle,
    users.display_name,
    users.bio,
    users.avatar_url
