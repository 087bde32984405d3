-- One notification for each follower. With the user as the first column, this index looked as good for
-- the follows of one day as notifications_follow_idx, and all followers were read for each day.
DROP INDEX notifications_follow_key;
CREATE UNIQUE INDEX notifications_follow_key ON notifications (actor_uuid, user_uuid)
    WHERE kind = 'follow';
