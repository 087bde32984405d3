-- The tags that the viewer follows, in alphabetical order. No row unless the viewer's session is open;
-- one row of NULL if the viewer follows none.
SELECT followed_tags.tag
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN followed_tags ON followed_tags.user_uuid = viewer.uuid
ORDER BY followed_tags.tag
