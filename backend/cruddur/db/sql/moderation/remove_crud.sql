-- Deletes a crud of any author; foreign keys delete what refers to it.
DELETE FROM activities
USING set_config('cruddur.traceparent', :traceparent, true)
WHERE activities.uuid = :uuid
