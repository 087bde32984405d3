-- Moderators limit accounts: public feeds do not show their cruds to those who do not follow them. A
-- limit ends by itself.
ALTER TABLE users ADD COLUMN limited_until timestamptz;
ALTER TABLE users ALTER COLUMN limited_until SET STATISTICS 0;
CREATE INDEX users_limited_until_idx ON users (limited_until) WHERE limited_until IS NOT NULL;

-- Cached pages of visitors change.
CREATE CONSTRAINT TRIGGER users_record_limit
    AFTER UPDATE OF limited_until ON users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (old.limited_until IS DISTINCT FROM new.limited_until)
    EXECUTE FUNCTION record_page_change();

ALTER TABLE moderation_actions
    DROP CONSTRAINT moderation_actions_kind_check,
    DROP CONSTRAINT moderation_actions_check,
    ADD CONSTRAINT moderation_actions_kind_check CHECK (
        kind IN ('dismiss', 'warn', 'remove_crud', 'limit', 'suspend', 'ban', 'lift')
    ),
    ADD CONSTRAINT moderation_actions_ends_at_check CHECK (
        (ends_at IS NOT NULL) = (kind IN ('limit', 'suspend', 'ban'))
    );
