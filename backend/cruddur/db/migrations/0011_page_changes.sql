-- Cached pages stay valid until an event that changes them is recorded (docs/decisions/0015). A
-- `page` event is a change that streams do not deliver: another text, profile or list. Its subject is
-- the crud or the user, or the nil UUID if the table was emptied.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (
    kind IN (
        'crud', 'counts', 'expiry', 'gone', 'message', 'notification', 'sign_out', 'mark', 'page'
    )
);

CREATE FUNCTION record_page_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM record_event('page', nobody, nobody);
    ELSIF TG_TABLE_NAME = 'users' THEN
        PERFORM record_event('page', OLD.uuid, OLD.uuid);
    ELSIF TG_TABLE_NAME = 'activities' THEN
        PERFORM record_event('page', OLD.uuid, OLD.user_uuid);
    ELSIF TG_OP = 'INSERT' THEN
        PERFORM record_event('page', NEW.activity_uuid, NEW.user_uuid);
    ELSE
        PERFORM record_event('page', OLD.activity_uuid, OLD.user_uuid);
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER activities_record_page_change
    AFTER UPDATE OF uuid, user_uuid, reply_to_activity_uuid, message, created_at ON activities
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_page_change();
CREATE CONSTRAINT TRIGGER users_record_page_change
    AFTER UPDATE OF uuid, subject, handle, display_name, bio, avatar_digest OR DELETE ON users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_page_change();
-- A profile lists what the user reposted.
CREATE CONSTRAINT TRIGGER reposts_record_page_change
    AFTER INSERT OR UPDATE OR DELETE ON reposts
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_page_change();
CREATE TRIGGER activities_record_truncation AFTER TRUNCATE ON activities
    FOR EACH STATEMENT EXECUTE FUNCTION record_page_change();
CREATE TRIGGER reposts_record_truncation AFTER TRUNCATE ON reposts
    FOR EACH STATEMENT EXECUTE FUNCTION record_page_change();
