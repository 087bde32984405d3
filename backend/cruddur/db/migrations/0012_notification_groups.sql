-- Notifications are listed in groups: all of one kind about one crud. The index finds the latest
-- notification of a group, and the users whom the group names.
CREATE INDEX notifications_group_idx
    ON notifications (activity_uuid, user_uuid, kind, created_at DESC, uuid DESC)
    INCLUDE (actor_uuid)
    WHERE activity_uuid IS NOT NULL;

-- The list of mentions is read separately. What a user has read in the list of all notifications is
-- also read in the list of mentions.
ALTER TABLE users ADD COLUMN mentions_read_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE users ALTER COLUMN mentions_read_at SET STATISTICS 0;
