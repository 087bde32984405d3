-- A follow and a block of the same two users wait for each other, so that the later one sees the
-- earlier. Whichever comes first, no follow is left between two users if one blocks the other.
CREATE FUNCTION lock_pair(one uuid, other uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(
        hashtextextended(LEAST(one, other)::text || GREATEST(one, other)::text, 4567)
    )
$$;

-- A statement cannot see what was committed after its start, but each statement of a trigger can.
CREATE FUNCTION refuse_follow_of_blocked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_pair(NEW.follower_uuid, NEW.followee_uuid);
    IF EXISTS (
        SELECT FROM blocked_pairs
        WHERE blocked_pairs.viewer_uuid = NEW.follower_uuid
          AND blocked_pairs.other_uuid = NEW.followee_uuid
    ) THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER follows_refuse_blocked BEFORE INSERT ON follows
    FOR EACH ROW EXECUTE FUNCTION refuse_follow_of_blocked();

CREATE FUNCTION end_follows_of_blocked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lock_pair(NEW.blocker_uuid, NEW.blocked_uuid);
    DELETE FROM follows
    WHERE (follower_uuid, followee_uuid) IN (
        (NEW.blocker_uuid, NEW.blocked_uuid), (NEW.blocked_uuid, NEW.blocker_uuid)
    );
    DELETE FROM notifications
    WHERE kind = 'follow'
      AND (actor_uuid, user_uuid) IN (
          (NEW.blocker_uuid, NEW.blocked_uuid), (NEW.blocked_uuid, NEW.blocker_uuid)
      );
    RETURN NEW;
END
$$;
CREATE TRIGGER blocks_end_follows BEFORE INSERT ON blocks
    FOR EACH ROW EXECUTE FUNCTION end_follows_of_blocked();

-- Follows that outlived a block until now.
DELETE FROM notifications
USING blocked_pairs
WHERE notifications.kind = 'follow'
  AND notifications.actor_uuid = blocked_pairs.viewer_uuid
  AND notifications.user_uuid = blocked_pairs.other_uuid;
DELETE FROM follows
USING blocked_pairs
WHERE follows.follower_uuid = blocked_pairs.viewer_uuid
  AND follows.followee_uuid = blocked_pairs.other_uuid;

-- Suspended users are not suggested.
CREATE INDEX users_suspended_until_idx ON users (suspended_until) WHERE suspended_until IS NOT NULL;
