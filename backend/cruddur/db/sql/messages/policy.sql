-- Who may message the viewer. No row unless the viewer's session is open.
SELECT users.message_policy
FROM signed_in(:viewer, :session) AS viewer
JOIN users ON users.uuid = viewer.uuid
