-- What open streams are told (GET /api/stream). An event is recorded by trigger in the
-- transaction that causes it, whoever writes and whatever cascades, and is kept for the
-- time in which a stream may be resumed. It names what it is about; what is shown of that
-- is read when the event is delivered, so nothing outlives what it quotes here.

CREATE TABLE events (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL CHECK (
        kind IN (
            'crud', 'counts', 'expiry', 'gone', 'message', 'notification', 'sign_out', 'mark'
        )
    ),
    -- The crud, message, notification or session; the person for whom all sessions end;
    -- nothing in a mark, which only tells those who hear little how far they have heard.
    subject_uuid uuid CHECK ((subject_uuid IS NULL) = (kind = 'mark')),
    -- The author of the crud or message, or the person whom it concerns.
    user_uuid uuid CHECK ((user_uuid IS NULL) = (kind = 'mark')),
    -- The crud that the crud replies to.
    parent_uuid uuid,
    -- W3C Trace Context of the request that caused it.
    traceparent text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX events_created_at_idx ON events (created_at);

-- Cruds that expired and were swept, for streams that missed it. They have no place among
-- the events: everybody hears of an expiry by the clock, and only who was away by this.
CREATE TABLE expired_activities (
    uuid uuid PRIMARY KEY,
    user_uuid uuid NOT NULL,
    parent_uuid uuid,
    expired_at timestamptz NOT NULL
);
CREATE INDEX expired_activities_expired_at_idx ON expired_activities (expired_at);

-- Opens one stream in place of an access token, which has no place in an address.
CREATE TABLE stream_tickets (
    ticket_hash bytea PRIMARY KEY,
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    session_uuid uuid REFERENCES sessions (uuid) ON DELETE CASCADE,
    -- When the access token ends that it was had for, if no session can be ended before.
    access_ends_at timestamptz,
    expires_at timestamptz NOT NULL
);
CREATE INDEX stream_tickets_user_uuid_idx ON stream_tickets (user_uuid);
CREATE INDEX stream_tickets_session_uuid_idx ON stream_tickets (session_uuid);
CREATE INDEX stream_tickets_expires_at_idx ON stream_tickets (expires_at);

-- Called by deferred triggers, or otherwise as the last that a transaction does: the lock is held
-- while it commits, so events become visible in the order of their ids, and "everything
-- after the last one that I have seen" misses none. Nothing else is waited for under it.
CREATE FUNCTION record_event(
    event_kind text, subject uuid DEFAULT NULL, member uuid DEFAULT NULL, parent uuid DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(45670003);
    INSERT INTO events (kind, subject_uuid, user_uuid, parent_uuid, traceparent)
    VALUES (
        event_kind, subject, member, parent,
        NULLIF(current_setting('cruddur.traceparent', true), '')
    );
    -- Services that tell each other in another way switch it off in their connections.
    IF current_setting('cruddur.notify', true) IS DISTINCT FROM 'off' THEN
        PERFORM pg_notify('cruddur_events', '');
    END IF;
END
$$;

CREATE FUNCTION record_activity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    crud record;
    parent record;
BEGIN
    IF TG_OP = 'DELETE' THEN
        crud := OLD;
        PERFORM record_event('gone', crud.uuid, crud.user_uuid, crud.reply_to_activity_uuid);
    ELSE
        crud := NEW;
        PERFORM record_event('crud', crud.uuid, crud.user_uuid, crud.reply_to_activity_uuid);
    END IF;
    IF crud.reply_to_activity_uuid IS NOT NULL THEN
        SELECT * INTO parent FROM activities WHERE uuid = crud.reply_to_activity_uuid;
        IF FOUND THEN
            PERFORM record_event(
                'counts', parent.uuid, parent.user_uuid, parent.reply_to_activity_uuid
            );
        END IF;
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER activities_record_created AFTER INSERT ON activities
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_activity();
CREATE CONSTRAINT TRIGGER activities_record_deleted AFTER DELETE ON activities
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION record_activity();

CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_event(
        CASE WHEN NEW.expires_at = OLD.expires_at THEN 'counts' ELSE 'expiry' END,
        NEW.uuid, NEW.user_uuid, NEW.reply_to_activity_uuid
    );
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER activities_record_change
    AFTER UPDATE OF likes_count, reposts_count, expires_at ON activities
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        OLD.likes_count <> NEW.likes_count
        OR OLD.reposts_count <> NEW.reposts_count
        OR OLD.expires_at <> NEW.expires_at
    )
    EXECUTE FUNCTION record_change();

CREATE FUNCTION remember_expired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO expired_activities (uuid, user_uuid, parent_uuid, expired_at)
    VALUES (OLD.uuid, OLD.user_uuid, OLD.reply_to_activity_uuid, OLD.expires_at);
    RETURN NULL;
END
$$;
CREATE TRIGGER activities_remember_expired AFTER DELETE ON activities
    FOR EACH ROW WHEN (OLD.expires_at <= now()) EXECUTE FUNCTION remember_expired();

-- What is written to somebody; the argument is the kind of the event.
CREATE FUNCTION record_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_event(TG_ARGV[0], NEW.uuid, NEW.user_uuid);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER messages_record AFTER INSERT ON messages
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_written('message');
CREATE CONSTRAINT TRIGGER notifications_record AFTER INSERT ON notifications
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_written('notification');

-- A session's streams end with it, and a person's with the person.
CREATE FUNCTION record_sign_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'sessions' THEN
        PERFORM record_event('sign_out', OLD.uuid, OLD.user_uuid);
    ELSE
        PERFORM record_event('sign_out', OLD.uuid, OLD.uuid);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER sessions_record_sign_out AFTER DELETE ON sessions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_sign_out();
CREATE CONSTRAINT TRIGGER users_record_sign_out AFTER DELETE ON users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_sign_out();
