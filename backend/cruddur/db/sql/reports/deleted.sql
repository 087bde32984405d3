-- The sealed copy of a crud that was deleted.
SELECT
    deleted_activities.user_uuid,
    deleted_activities.digest,
    deleted_activities.sealed
FROM deleted_activities
WHERE deleted_activities.uuid = :uuid
  AND deleted_activities.expires_at > now()
