-- Sets who may message the viewer. No row unless the viewer's session is open.
UPDATE users
SET message_policy = :policy
FROM signed_in(:viewer, :session) AS viewer
WHERE users.uuid = viewer.uuid
RETURNING users.message_policy
