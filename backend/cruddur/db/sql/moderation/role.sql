-- The viewer's role. No row unless their session is open.
SELECT users.role
FROM signed_in(:viewer, :session) AS viewer
JOIN users ON users.uuid = viewer.uuid
