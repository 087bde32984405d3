-- An `account` event: others have changed what a user sees of their own account, so that open pages fetch
-- it again. That is a decision of moderators, the role and, for moderators, the number of open cases. Its
-- subject is the user.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (
    kind IN (
        'crud', 'counts', 'expiry', 'gone', 'preview', 'message', 'notification', 'sign_out', 'mark',
        'page', 'follow', 'repost', 'hidden', 'instance', 'account'
    )
);

CREATE FUNCTION record_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_event('account', users.uuid, users.uuid)
    FROM users
    WHERE users.uuid = NEW.user_uuid;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER moderation_actions_record
    AFTER INSERT ON moderation_actions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.kind <> 'dismiss')
    EXECUTE FUNCTION record_decision();
CREATE CONSTRAINT TRIGGER moderation_actions_record_appeal
    AFTER UPDATE OF decision ON moderation_actions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.decision IS DISTINCT FROM OLD.decision)
    EXECUTE FUNCTION record_decision();

CREATE FUNCTION record_role() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_event('account', NEW.uuid, NEW.uuid)
    WHERE EXISTS (SELECT FROM users WHERE users.uuid = NEW.uuid);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER users_record_role
    AFTER UPDATE OF role ON users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.role <> OLD.role)
    EXECUTE FUNCTION record_role();

CREATE FUNCTION record_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM record_event('account', users.uuid, users.uuid)
    FROM users
    WHERE users.role <> 'member';
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER cases_record
    AFTER INSERT ON cases
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_case();
CREATE CONSTRAINT TRIGGER cases_record_change
    AFTER UPDATE ON cases
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.is_open <> OLD.is_open)
    EXECUTE FUNCTION record_case();
