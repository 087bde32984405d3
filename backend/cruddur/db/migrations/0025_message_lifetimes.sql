-- The lifetime that the next messages of a conversation get; NULL: they do not expire. A line in the
-- conversation, which is a message of its own kind, says who set it.
ALTER TABLE message_groups ADD COLUMN lifetime interval CHECK (lifetime > interval '0');

ALTER TABLE messages
    ADD COLUMN kind text NOT NULL DEFAULT 'text' CHECK (kind IN ('text', 'lifetime')),
    ADD COLUMN lifetime interval CHECK (lifetime IS NULL OR kind = 'lifetime'),
    ADD COLUMN expires_at timestamptz NOT NULL DEFAULT 'infinity';
CREATE INDEX messages_expires_at_idx ON messages (expires_at) WHERE expires_at < 'infinity';

-- The messages that were swept, for streams that resume.
CREATE TABLE expired_messages (
    uuid uuid PRIMARY KEY,
    user_uuid uuid NOT NULL,
    recipient_uuid uuid NOT NULL,
    expired_at timestamptz NOT NULL
);
CREATE INDEX expired_messages_expired_at_idx ON expired_messages (expired_at);

ALTER TABLE message_groups ALTER COLUMN lifetime SET STATISTICS 0;
ALTER TABLE messages
    ALTER COLUMN kind SET STATISTICS 0,
    ALTER COLUMN lifetime SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
ALTER TABLE expired_messages
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN recipient_uuid SET STATISTICS 0,
    ALTER COLUMN expired_at SET STATISTICS 0;

-- Every statement that shows messages reads this view.
CREATE VIEW live_messages AS
SELECT
    messages.uuid,
    messages.message_group_uuid,
    messages.user_uuid,
    messages.message,
    messages.created_at,
    messages.kind,
    messages.lifetime,
    NULLIF(messages.expires_at, 'infinity') AS expires_at
FROM messages
WHERE messages.expires_at > now();

CREATE FUNCTION remember_expired_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO expired_messages (uuid, user_uuid, recipient_uuid, expired_at)
    SELECT
        OLD.uuid,
        OLD.user_uuid,
        CASE message_groups.low_user_uuid
            WHEN OLD.user_uuid THEN message_groups.high_user_uuid
            ELSE message_groups.low_user_uuid
        END,
        OLD.expires_at
    FROM message_groups
    WHERE message_groups.uuid = OLD.message_group_uuid;
    RETURN NULL;
END
$$;
CREATE TRIGGER messages_remember_expired AFTER DELETE ON messages
    FOR EACH ROW WHEN (old.expires_at <= now())
    EXECUTE FUNCTION remember_expired_message();

-- The view of conversations, with the lifetime.
CREATE OR REPLACE VIEW conversations AS
SELECT
    message_groups.uuid,
    message_groups.low_user_uuid AS user_uuid,
    message_groups.high_user_uuid AS other_uuid,
    message_groups.low_read_at AS read_at,
    message_groups.low_cleared_at AS cleared_at,
    message_groups.low_has_accepted AS has_accepted,
    message_groups.latest_message_at,
    message_groups.lifetime
FROM message_groups
UNION ALL
SELECT
    message_groups.uuid,
    message_groups.high_user_uuid AS user_uuid,
    message_groups.low_user_uuid AS other_uuid,
    message_groups.high_read_at AS read_at,
    message_groups.high_cleared_at AS cleared_at,
    message_groups.high_has_accepted AS has_accepted,
    message_groups.latest_message_at,
    message_groups.lifetime
FROM message_groups;
