-- Ends a session of the viewer. No row if there is no such session, or unless the viewer's own
-- session is open.
DELETE FROM sessions
USING signed_in(:viewer, :session) AS viewer
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE sessions.uuid = :uuid
  AND sessions.user_uuid = viewer.uuid
RETURNING sessions.sealed_token
