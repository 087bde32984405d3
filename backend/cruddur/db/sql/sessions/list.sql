-- The viewer's open sessions. No row unless the viewer's own session is open; one row of NULLs if
-- there is no session.
SELECT
    sessions.uuid,
    sessions.device,
    sessions.address,
    sessions.created_at,
    sessions.used_at
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN sessions
    ON sessions.user_uuid = viewer.uuid
    AND sessions.expires_at > now()
ORDER BY sessions.used_at DESC, sessions.uuid DESC
