-- The conversation of two users, created if necessary. Its row stays locked until the
-- transaction ends.
INSERT INTO message_groups (low_user_uuid, high_user_uuid)
VALUES (LEAST(:user_uuid::uuid, :other_uuid::uuid), GREATEST(:user_uuid::uuid, :other_uuid::uuid))
ON CONFLICT (low_user_uuid, high_user_uuid)
    DO UPDATE SET low_user_uuid = EXCLUDED.low_user_uuid
RETURNING uuid
