-- Users that block others. Both disappear for each other, so each index finds the other user of one direction.
CREATE TABLE blocks (
    blocker_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    blocked_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (blocker_uuid, blocked_uuid),
    CHECK (blocker_uuid <> blocked_uuid)
);
CREATE INDEX blocks_blocked_idx ON blocks (blocked_uuid, blocker_uuid);

-- Users that mute others. The muted user disappears for the muter alone, until `ends_at`, which is infinity by
-- default.
CREATE TABLE mutes (
    muter_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    muted_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    ends_at timestamptz NOT NULL DEFAULT 'infinity',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (muter_uuid, muted_uuid),
    CHECK (muter_uuid <> muted_uuid)
);
CREATE INDEX mutes_muted_uuid_idx ON mutes (muted_uuid);
CREATE INDEX mutes_ends_at_idx ON mutes (ends_at);

-- Who may start a conversation with the user.
ALTER TABLE users ADD COLUMN message_policy text NOT NULL DEFAULT 'everyone'
    CHECK (message_policy IN ('everyone', 'following', 'nobody'));

-- A conversation is a request for a member who has neither accepted it nor written to it, and who
-- does not follow the other one. A member who deletes a request sees only later messages.
ALTER TABLE message_groups
    ADD COLUMN low_has_accepted boolean NOT NULL DEFAULT true,
    ADD COLUMN high_has_accepted boolean NOT NULL DEFAULT true,
    ADD COLUMN low_cleared_at timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN high_cleared_at timestamptz NOT NULL DEFAULT '-infinity';
ALTER TABLE message_groups
    ALTER COLUMN low_has_accepted SET DEFAULT false,
    ALTER COLUMN high_has_accepted SET DEFAULT false;

DO $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT pg_class.relname AS table_name, pg_attribute.attname AS name
        FROM unnest(ARRAY['blocks', 'mutes', 'users', 'message_groups']::regclass[]) AS ours (oid)
        JOIN pg_class ON pg_class.oid = ours.oid
        JOIN pg_attribute ON pg_attribute.attrelid = ours.oid
        WHERE pg_attribute.attnum > 0
          AND NOT pg_attribute.attisdropped
    LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN %I SET STATISTICS 0', col.table_name, col.name
        );
    END LOOP;
END
$$;

-- The pairs of users who do not exist for each other, in both orders.
CREATE VIEW blocked_pairs AS
SELECT
    blocks.blocker_uuid AS viewer_uuid,
    blocks.blocked_uuid AS other_uuid
FROM blocks
UNION ALL
SELECT
    blocks.blocked_uuid AS viewer_uuid,
    blocks.blocker_uuid AS other_uuid
FROM blocks;

-- The authors whose cruds, reposts and notifications a viewer does not see. Every statement that acts
-- for a viewer reads this view (docs/decisions/0021).
CREATE VIEW hidden_authors AS
SELECT
    blocks.blocker_uuid AS viewer_uuid,
    blocks.blocked_uuid AS author_uuid,
    'infinity'::timestamptz AS until
FROM blocks
UNION ALL
SELECT
    blocks.blocked_uuid AS viewer_uuid,
    blocks.blocker_uuid AS author_uuid,
    'infinity'::timestamptz AS until
FROM blocks
UNION ALL
SELECT
    mutes.muter_uuid AS viewer_uuid,
    mutes.muted_uuid AS author_uuid,
    mutes.ends_at AS until
FROM mutes
WHERE mutes.ends_at > now();

-- Conversations as each of their two members sees them. `has_accepted` is false for a request, unless
-- the member follows the other one.
CREATE VIEW conversations AS
SELECT
    message_groups.uuid,
    message_groups.low_user_uuid AS user_uuid,
    message_groups.high_user_uuid AS other_uuid,
    message_groups.low_read_at AS read_at,
    message_groups.low_cleared_at AS cleared_at,
    message_groups.low_has_accepted AS has_accepted,
    message_groups.latest_message_at
FROM message_groups
UNION ALL
SELECT
    message_groups.uuid,
    message_groups.high_user_uuid AS user_uuid,
    message_groups.low_user_uuid AS other_uuid,
    message_groups.high_read_at AS read_at,
    message_groups.high_cleared_at AS cleared_at,
    message_groups.high_has_accepted AS has_accepted,
    message_groups.latest_message_at
FROM message_groups;

-- A conversation is listed by its latest message, and accepted by all who wrote to it.
CREATE OR REPLACE FUNCTION bump_message_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE message_groups
    SET
        latest_message_at = GREATEST(latest_message_at, NEW.created_at),
        low_has_accepted = low_has_accepted OR low_user_uuid = NEW.user_uuid,
        high_has_accepted = high_has_accepted OR high_user_uuid = NEW.user_uuid
    WHERE uuid = NEW.message_group_uuid;
    RETURN NULL;
END
$$;

-- The event of a block or a mute, and of its end: its subject is the author who is hidden or shown
-- again, its user the viewer. The deletion of a user is an event of its own.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (
    kind IN (
        'crud', 'counts', 'expiry', 'gone', 'preview', 'message', 'notification', 'sign_out', 'mark',
        'page', 'follow', 'repost', 'hidden'
    )
);

CREATE FUNCTION record_hidden() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        changed := OLD;
    ELSE
        changed := NEW;
    END IF;
    IF TG_TABLE_NAME = 'mutes' THEN
        PERFORM record_event('hidden', changed.muted_uuid, changed.muter_uuid)
        WHERE (
            SELECT count(*) FROM users WHERE users.uuid IN (changed.muted_uuid, changed.muter_uuid)
        ) = 2;
    ELSE
        PERFORM
            record_event('hidden', changed.blocked_uuid, changed.blocker_uuid),
            record_event('hidden', changed.blocker_uuid, changed.blocked_uuid)
        WHERE (
            SELECT count(*)
            FROM users
            WHERE users.uuid IN (changed.blocked_uuid, changed.blocker_uuid)
        ) = 2;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER blocks_record AFTER INSERT OR DELETE ON blocks
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_hidden();
CREATE CONSTRAINT TRIGGER mutes_record AFTER INSERT OR UPDATE OR DELETE ON mutes
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_hidden();
