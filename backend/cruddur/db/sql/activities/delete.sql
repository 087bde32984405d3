-- Deletes a live crud of the viewer; foreign keys delete what refers to it.
DELETE FROM activities
USING signed_in(:viewer, :session) AS viewer
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE activities.uuid = :uuid
  AND activities.user_uuid = viewer.uuid
  AND activities.expires_at > now()
