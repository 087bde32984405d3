-- Settings of the instance, who may sign up, terms, and announcements (docs/decisions/0026).

-- One row. Statements that need a setting read it themselves, so a change holds at once everywhere.
-- terms_version is 0 until an admin asks members to accept the terms.
CREATE TABLE instance (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    name text NOT NULL DEFAULT 'Cruddur' CHECK (char_length(name) BETWEEN 1 AND 50),
    description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 500),
    rules text NOT NULL DEFAULT '' CHECK (char_length(rules) <= 5000),
    terms_version integer NOT NULL DEFAULT 0 CHECK (terms_version >= 0),
    sign_up_mode text NOT NULL DEFAULT 'open'
        CHECK (sign_up_mode IN ('open', 'invitation', 'closed')),
    blocked_domains text[] NOT NULL DEFAULT '{}' CHECK (cardinality(blocked_domains) <= 1000),
    default_ttl text NOT NULL DEFAULT '7-days' CHECK (
        default_ttl IN ('30-days', '7-days', '3-days', '1-day', '12-hours', '3-hours', '1-hour')
    ),
    max_ttl text NOT NULL DEFAULT '30-days' CHECK (
        max_ttl IN ('30-days', '7-days', '3-days', '1-day', '12-hours', '3-hours', '1-hour')
    ),
    evidence_days integer NOT NULL DEFAULT 14 CHECK (evidence_days BETWEEN 1 AND 365)
);
ALTER TABLE instance
    ALTER COLUMN is_only SET STATISTICS 0,
    ALTER COLUMN name SET STATISTICS 0,
    ALTER COLUMN description SET STATISTICS 0,
    ALTER COLUMN rules SET STATISTICS 0,
    ALTER COLUMN terms_version SET STATISTICS 0,
    ALTER COLUMN sign_up_mode SET STATISTICS 0,
    ALTER COLUMN blocked_domains SET STATISTICS 0,
    ALTER COLUMN default_ttl SET STATISTICS 0,
    ALTER COLUMN max_ttl SET STATISTICS 0,
    ALTER COLUMN evidence_days SET STATISTICS 0;
INSERT INTO instance DEFAULT VALUES;

-- An `instance` event: a setting or an announcement has changed. Its subject is the nil UUID.
ALTER TABLE events DROP CONSTRAINT events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (
    kind IN (
        'crud', 'counts', 'expiry', 'gone', 'preview', 'message', 'notification', 'sign_out', 'mark',
        'page', 'follow', 'repost', 'hidden', 'instance'
    )
);
CREATE FUNCTION record_instance_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    PERFORM record_event('instance', nobody, nobody);
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER instance_record_change
    AFTER UPDATE ON instance
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_instance_change();

-- Who may sign up while sign_up_mode is 'invitation'. Admins see the codes again, to pass them on.
CREATE TABLE invitations (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL CONSTRAINT invitations_code_key UNIQUE CHECK (code ~ '^[a-z2-9]{16}$'),
    max_uses integer NOT NULL CHECK (max_uses BETWEEN 1 AND 1000),
    uses integer NOT NULL DEFAULT 0 CHECK (uses BETWEEN 0 AND max_uses),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
ALTER TABLE invitations
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN code SET STATISTICS 0,
    ALTER COLUMN max_uses SET STATISTICS 0,
    ALTER COLUMN uses SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE INDEX invitations_expires_at_idx ON invitations (expires_at);

-- The invitation that a sign-up came with. It may have been revoked since, so it is no foreign key.
ALTER TABLE signup_attempts
    ADD COLUMN invitation_uuid uuid,
    ADD COLUMN terms_version integer,
    ADD COLUMN terms_accepted_at timestamptz,
    ADD CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL));
ALTER TABLE signup_attempts
    ALTER COLUMN invitation_uuid SET STATISTICS 0,
    ALTER COLUMN terms_version SET STATISTICS 0,
    ALTER COLUMN terms_accepted_at SET STATISTICS 0;

-- Addresses that have used an invitation in a sign-up at another provider. Its account here is opened
-- at the first sign-in.
CREATE TABLE invited_addresses (
    email text PRIMARY KEY CHECK (char_length(email) <= 254),
    expires_at timestamptz NOT NULL
);
ALTER TABLE invited_addresses
    ALTER COLUMN email SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE INDEX invited_addresses_expires_at_idx ON invited_addresses (expires_at);

-- The terms that a member has accepted last, and when.
ALTER TABLE users
    ADD COLUMN terms_version integer,
    ADD COLUMN terms_accepted_at timestamptz,
    ADD CHECK ((terms_version IS NULL) = (terms_accepted_at IS NULL));
ALTER TABLE users
    ALTER COLUMN terms_version SET STATISTICS 0,
    ALTER COLUMN terms_accepted_at SET STATISTICS 0;

-- What admins announce to everyone, until it expires.
CREATE TABLE announcements (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    message text NOT NULL CHECK (char_length(message) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
ALTER TABLE announcements
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN message SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE INDEX announcements_expires_at_idx ON announcements (expires_at);
CREATE CONSTRAINT TRIGGER announcements_record_change
    AFTER INSERT OR UPDATE OR DELETE ON announcements
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION record_instance_change();
