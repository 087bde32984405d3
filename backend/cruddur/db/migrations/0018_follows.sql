-- Users that follow others. The primary key answers whether a user follows another one. The two indexes list
-- the users that a user follows, and the followers of a user, the latest first.
CREATE TABLE follows (
    follower_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    followee_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower_uuid, followee_uuid),
    CHECK (follower_uuid <> followee_uuid)
);
CREATE INDEX follows_follower_idx ON follows (follower_uuid, created_at DESC, followee_uuid DESC);
CREATE INDEX follows_followee_idx ON follows (followee_uuid, created_at DESC, follower_uuid DESC);

-- How many followers a user has, and how many users they follow. A user without a row has none. In
-- `users`, each follower of a popular user would write a new version of a row that many pages read.
CREATE TABLE follow_counts (
    user_uuid uuid PRIMARY KEY REFERENCES users (uuid) ON DELETE CASCADE,
    followers_count integer NOT NULL DEFAULT 0 CHECK (followers_count >= 0),
    following_count integer NOT NULL DEFAULT 0 CHECK (following_count >= 0)
) WITH (fillfactor = 50); -- room on the page, so that a new count need not touch the index

-- The tags that a user follows, folded like those of cruds.
CREATE TABLE followed_tags (
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    tag text COLLATE "C" NOT NULL CHECK (char_length(tag) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_uuid, tag)
);

DO $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT pg_class.relname AS table_name, pg_attribute.attname AS name
        FROM unnest(
            ARRAY['follows', 'follow_counts', 'followed_tags']::regclass[]
        ) AS ours (oid)
        JOIN pg_class ON pg_class.oid = ours.oid
        JOIN pg_attribute ON pg_attribute.attrelid = ours.oid
        WHERE pg_attribute.attnum > 0
    LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', col.table_name, col.name
        );
    END LOOP;
END
$$;

-- The rows of the counters are locked in the order of users, so that two users who follow each other
-- at the same time do not wait for each other. A statement counts once for all its rows, because the
-- deletion of a user can delete many.
CREATE FUNCTION count_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO follow_counts (user_uuid, followers_count, following_count)
    SELECT
        counted.user_uuid,
        sum(counted.followers),
        sum(counted.following)
    FROM (
        SELECT followee_uuid AS user_uuid, 1 AS followers, 0 AS following FROM changed
        UNION ALL
        SELECT follower_uuid AS user_uuid, 0 AS followers, 1 AS following FROM changed
    ) AS counted
    GROUP BY counted.user_uuid
    ORDER BY counted.user_uuid
    ON CONFLICT (user_uuid) DO UPDATE
    SET
        followers_count = follow_counts.followers_count + EXCLUDED.followers_count,
        following_count = follow_counts.following_count + EXCLUDED.following_count;
    RETURN NULL;
END
$$;
CREATE TRIGGER follows_count AFTER INSERT ON follows
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_follows();

-- Users who are being deleted have no row any more.
CREATE FUNCTION uncount_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM
    FROM follow_counts
    WHERE follow_counts.user_uuid IN (
        SELECT followee_uuid FROM changed
        UNION
        SELECT follower_uuid FROM changed
    )
    ORDER BY follow_counts.user_uuid
    FOR NO KEY UPDATE;
    UPDATE follow_counts
    SET
        followers_count = follow_counts.followers_count - counted.followers,
        following_count = follow_counts.following_count - counted.following
    FROM (
        SELECT
            ends.user_uuid,
            sum(ends.followers) AS followers,
            sum(ends.following) AS following
        FROM (
            SELECT followee_uuid AS user_uuid, 1 AS followers, 0 AS following FROM changed
            UNION ALL
            SELECT follower_uuid AS user_uuid, 0 AS followers, 1 AS following FROM changed
        ) AS ends
        GROUP BY ends.user_uuid
    ) AS counted
    WHERE follow_counts.user_uuid = counted.user_uuid;
    RETURN NULL;
END
$$;
CREATE TRIGGER follows_uncount AFTER DELETE ON follows
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION uncount_follows();

-- A follow is about no crud and no message.
ALTER TABLE notifications DROP CONSTRAINT notifications_kind_check;
ALTER TABLE notifications ADD CONSTRAINT notifications_kind_check CHECK (
    kind IN ('reply', 'like', 'repost', 'mention', 'message', 'follow')
);
ALTER TABLE notifications DROP CONSTRAINT notifications_check1;
ALTER TABLE notifications ADD CONSTRAINT notifications_check1 CHECK (
    (kind IN ('message', 'follow')) = (activity_uuid IS NULL)
);
CREATE UNIQUE INDEX notifications_follow_key ON notifications (user_uuid, actor_uuid)
    WHERE kind = 'follow';
-- Follows are listed in groups, one for each day.
CREATE INDEX notifications_follow_idx ON notifications (user_uuid, created_at DESC, uuid DESC)
    INCLUDE (actor_uuid)
    WHERE kind = 'follow';

-- The event of a follow: its subject is the user who is followed, its user the follower. Their pages
-- have other counts, and the follower's streams of followed people and tags other topics. If a tag is
-- followed, both are the follower. The deletion of a user is an event of its own.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (
    kind IN (
        'crud', 'counts', 'expiry', 'gone', 'preview', 'message', 'notification', 'sign_out', 'mark',
        'page', 'follow', 'repost'
    )
);

CREATE FUNCTION record_follow() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := NEW;
    ELSE
        changed := OLD;
    END IF;
    IF TG_TABLE_NAME = 'followed_tags' THEN
        PERFORM record_event('follow', changed.user_uuid, changed.user_uuid)
        WHERE EXISTS (SELECT FROM users WHERE users.uuid = changed.user_uuid);
    ELSE
        PERFORM record_event('follow', changed.followee_uuid, changed.follower_uuid)
        WHERE EXISTS (SELECT FROM users WHERE users.uuid = changed.followee_uuid)
          AND EXISTS (SELECT FROM users WHERE users.uuid = changed.follower_uuid);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER follows_record AFTER INSERT OR DELETE ON follows
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_follow();
CREATE CONSTRAINT TRIGGER followed_tags_record AFTER INSERT OR DELETE ON followed_tags
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_follow();

-- Streams of followed people deliver what they repost. Cached pages change by the `page` event of the
-- same repost (migration 0011).
CREATE FUNCTION record_repost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_event('repost', NEW.activity_uuid, NEW.user_uuid);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER reposts_record AFTER INSERT ON reposts
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_repost();

-- The newest cruds of a tag, and the newest reposts of everyone. `created_at` is that of the crud.
-- `expires_at` lets the index skip expired cruds; the crud itself decides what is live.
ALTER TABLE activity_tags
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN expires_at timestamptz NOT NULL DEFAULT 'infinity';
ALTER TABLE activity_tags
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
UPDATE activity_tags
SET
    created_at = activities.created_at,
    expires_at = activities.expires_at
FROM activities
WHERE activities.uuid = activity_tags.activity_uuid;
CREATE INDEX activity_tags_newest_idx
    ON activity_tags (tag, created_at DESC, activity_uuid DESC, expires_at);
CREATE INDEX reposts_newest_idx
    ON reposts (created_at DESC, activity_uuid DESC) INCLUDE (user_uuid);

CREATE FUNCTION copy_expiry_to_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE activity_tags SET expires_at = NEW.expires_at WHERE activity_uuid = NEW.uuid;
    RETURN NULL;
END
$$;
CREATE TRIGGER activities_copy_expiry_to_tags
    AFTER UPDATE OF expires_at ON activities
    FOR EACH ROW WHEN (NEW.expires_at <> OLD.expires_at)
    EXECUTE FUNCTION copy_expiry_to_tags();

-- The authors of the newest cruds, and the live cruds of an author in their order, without the table.
DROP INDEX activities_home_idx;
CREATE INDEX activities_home_idx ON activities (created_at DESC, uuid DESC, expires_at)
    INCLUDE (user_uuid)
    WHERE reply_to_activity_uuid IS NULL;
DROP INDEX activities_user_live_idx;
CREATE INDEX activities_user_live_idx ON activities (user_uuid, expires_at)
    INCLUDE (created_at, uuid)
    WHERE reply_to_activity_uuid IS NULL;

-- The words of handles and display names, as search compares them. A query finds words by their
-- beginnings.
CREATE INDEX users_words_idx ON users USING gin (
    to_tsvector('simple', search_text(display_name) || ' ' || replace(handle, '_', ' '))
);
ALTER INDEX users_words_idx ALTER COLUMN 1 SET STATISTICS 0;
