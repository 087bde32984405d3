-- Keeps sealed copies of cruds that are about to be deleted, at most until the cruds would have expired. The
-- driver knows text[] without asking the server.
INSERT INTO deleted_activities (uuid, user_uuid, digest, sealed, expires_at)
SELECT
    kept.uuid::uuid,
    kept.user_uuid::uuid,
    decode(kept.digest, 'base64'),
    decode(kept.copy, 'base64'),
    LEAST(now() + :period::interval, kept.expires_at::timestamptz)
FROM unnest(:uuids::text[], :authors::text[], :digests::text[], :copies::text[], :ends::text[])
    AS kept (uuid, user_uuid, digest, copy, expires_at)
WHERE kept.expires_at::timestamptz > now()
ON CONFLICT (uuid) DO NOTHING
