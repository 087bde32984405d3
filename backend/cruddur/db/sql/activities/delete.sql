-- Removes a live crud of this author; what hangs on it goes by foreign key.
DELETE FROM activities
USING set_config('cruddur.traceparent', :traceparent, true)
WHERE activities.uuid = :uuid
  AND activities.user_uuid = :user_uuid
  AND activities.expires_at > now()
