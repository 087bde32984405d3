-- Those of some users whom the viewer follows. No row unless the viewer's session is open; one row of
-- NULL if the viewer follows none of them.
SELECT follows.followee_uuid AS uuid
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN follows
    ON follows.follower_uuid = viewer.uuid
    AND follows.followee_uuid = ANY(:uuids::uuid[])
