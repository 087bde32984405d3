SELECT
    viewer.uuid,
    viewer.handle,
    viewer.display_name,
    viewer.email,
    viewer.avatar_url
FROM signed_in(:viewer, :session) AS viewer
