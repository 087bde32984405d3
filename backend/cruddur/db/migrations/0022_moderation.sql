-- Roles, suspensions, reports with sealed evidence, what moderators decide, and the audit log.

-- A suspension ends by itself; 'infinity' is a ban.
ALTER TABLE users
    ADD COLUMN role text NOT NULL DEFAULT 'member'
        CHECK (role IN ('member', 'moderator', 'admin')),
    ADD COLUMN suspended_until timestamptz;
ALTER TABLE users
    ALTER COLUMN role SET STATISTICS 0,
    ALTER COLUMN suspended_until SET STATISTICS 0;
CREATE INDEX users_role_idx ON users (role) WHERE role <> 'member';

-- As before, and no row while the user is suspended.
CREATE OR REPLACE FUNCTION signed_in(viewer uuid, session uuid)
RETURNS TABLE (
    uuid uuid,
    handle text,
    display_name text,
    avatar_url text,
    email text,
    notifications_read_at timestamptz
)
LANGUAGE sql STABLE ROWS 1
BEGIN ATOMIC
    SELECT
        users.uuid,
        users.handle,
        users.display_name,
        users.avatar_url,
        users.email,
        users.notifications_read_at
    FROM users
    WHERE users.uuid = signed_in.viewer
      AND (users.suspended_until IS NULL OR users.suspended_until <= now())
      AND (
          signed_in.session IS NULL
          OR EXISTS (
              SELECT FROM sessions
              WHERE sessions.uuid = signed_in.session
                AND sessions.user_uuid = users.uuid
                AND sessions.expires_at > now()
          )
      );
END;

-- Ends all streams of a user who is suspended, also those of tokens without a session.
CREATE CONSTRAINT TRIGGER users_record_suspension
    AFTER UPDATE OF suspended_until ON users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (new.suspended_until > now())
    EXECUTE FUNCTION record_sign_out();

-- What members reported: the reports of one subject are one case while it is undecided. The subject is
-- a crud, a user or a message, and user_uuid its author. Neither is a foreign key, because a case
-- outlives what was reported.
CREATE TABLE cases (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    kind text NOT NULL CHECK (kind IN ('crud', 'profile', 'message')),
    subject_uuid uuid NOT NULL,
    user_uuid uuid NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    has_appeal boolean NOT NULL DEFAULT false,
    is_open boolean NOT NULL GENERATED ALWAYS AS (closed_at IS NULL OR has_appeal) STORED
);
ALTER TABLE cases
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN kind SET STATISTICS 0,
    ALTER COLUMN subject_uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN opened_at SET STATISTICS 0,
    ALTER COLUMN closed_at SET STATISTICS 0,
    ALTER COLUMN has_appeal SET STATISTICS 0,
    ALTER COLUMN is_open SET STATISTICS 0;
CREATE UNIQUE INDEX cases_undecided_key ON cases (kind, subject_uuid) WHERE closed_at IS NULL;
CREATE INDEX cases_queue_idx ON cases (is_open, opened_at, uuid);
CREATE INDEX cases_user_uuid_idx ON cases (user_uuid);

-- A copy of what was reported, encrypted by the service. Its digest is keyed: it shows whether another
-- report found the same content. The sweeper deletes it at expires_at, or when the case is closed
-- after that.
CREATE TABLE evidence (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    case_uuid uuid NOT NULL REFERENCES cases (uuid) ON DELETE CASCADE,
    digest bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT evidence_digest_key UNIQUE (case_uuid, digest)
);
ALTER TABLE evidence
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN case_uuid SET STATISTICS 0,
    ALTER COLUMN digest SET STATISTICS 0,
    ALTER COLUMN sealed SET STATISTICS 0,
    ALTER COLUMN sealed SET STORAGE EXTERNAL,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE INDEX evidence_expires_at_idx ON evidence (expires_at);

-- The words of a reporter may quote what was reported, so they are encrypted and deleted with it.
CREATE TABLE reports (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    case_uuid uuid NOT NULL REFERENCES cases (uuid) ON DELETE CASCADE,
    reporter_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    category text NOT NULL CHECK (char_length(category) <= 30),
    sealed_words bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT reports_reporter_key UNIQUE (case_uuid, reporter_uuid)
);
ALTER TABLE reports
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN case_uuid SET STATISTICS 0,
    ALTER COLUMN reporter_uuid SET STATISTICS 0,
    ALTER COLUMN category SET STATISTICS 0,
    ALTER COLUMN sealed_words SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE INDEX reports_reporter_uuid_idx ON reports (reporter_uuid, created_at);
CREATE INDEX reports_expires_at_idx ON reports (expires_at);

-- Sealed copies of cruds that were deleted soon after they were posted. They can be reported until
-- they expire.
CREATE TABLE deleted_activities (
    uuid uuid PRIMARY KEY,
    user_uuid uuid NOT NULL,
    digest bytea NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL
);
ALTER TABLE deleted_activities
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN digest SET STATISTICS 0,
    ALTER COLUMN sealed SET STATISTICS 0,
    ALTER COLUMN sealed SET STORAGE EXTERNAL,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE INDEX deleted_activities_expires_at_idx ON deleted_activities (expires_at);

-- What moderators decided about an account, and its appeal. ends_at is the end of a suspension. The
-- account sees all but 'dismiss'; it has not seen it yet while read_at is NULL.
CREATE TABLE moderation_actions (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    case_uuid uuid NOT NULL REFERENCES cases (uuid) ON DELETE CASCADE,
    user_uuid uuid NOT NULL,
    actor_uuid uuid NOT NULL,
    kind text NOT NULL CHECK (
        kind IN ('dismiss', 'warn', 'remove_crud', 'suspend', 'ban', 'lift')
    ),
    reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    ends_at timestamptz CHECK ((ends_at IS NOT NULL) = (kind IN ('suspend', 'ban'))),
    created_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    appeal text CHECK (char_length(appeal) BETWEEN 1 AND 1000),
    appealed_at timestamptz CHECK ((appealed_at IS NULL) = (appeal IS NULL)),
    decision text CHECK (decision IN ('upheld', 'overturned')),
    decision_reason text CHECK (char_length(decision_reason) BETWEEN 1 AND 1000),
    decided_at timestamptz,
    CHECK (decision IS NULL OR appeal IS NOT NULL),
    CHECK ((decision IS NULL) = (decision_reason IS NULL)),
    CHECK ((decision IS NULL) = (decided_at IS NULL))
);
ALTER TABLE moderation_actions
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN case_uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN actor_uuid SET STATISTICS 0,
    ALTER COLUMN kind SET STATISTICS 0,
    ALTER COLUMN reason SET STATISTICS 0,
    ALTER COLUMN ends_at SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN read_at SET STATISTICS 0,
    ALTER COLUMN appeal SET STATISTICS 0,
    ALTER COLUMN appealed_at SET STATISTICS 0,
    ALTER COLUMN decision SET STATISTICS 0,
    ALTER COLUMN decision_reason SET STATISTICS 0,
    ALTER COLUMN decided_at SET STATISTICS 0;
CREATE INDEX moderation_actions_case_uuid_idx ON moderation_actions (case_uuid);
CREATE INDEX moderation_actions_user_uuid_idx ON moderation_actions (user_uuid, created_at, uuid);

-- Who did what with reports, evidence, accounts and roles, when and why. actor_uuid is NULL for the
-- command line. It has names and not only uuids, because accounts can be deleted.
CREATE TABLE audit_entries (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor_uuid uuid,
    actor_handle text,
    action text NOT NULL CHECK (char_length(action) <= 30),
    case_uuid uuid,
    user_uuid uuid,
    user_handle text,
    why text NOT NULL DEFAULT '' CHECK (char_length(why) <= 1000),
    CHECK ((actor_uuid IS NULL) = (actor_handle IS NULL))
);
ALTER TABLE audit_entries
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN actor_uuid SET STATISTICS 0,
    ALTER COLUMN actor_handle SET STATISTICS 0,
    ALTER COLUMN action SET STATISTICS 0,
    ALTER COLUMN case_uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN user_handle SET STATISTICS 0,
    ALTER COLUMN why SET STATISTICS 0;
CREATE INDEX audit_entries_created_at_idx ON audit_entries (created_at, uuid);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entries_keep BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What belongs to the account goes with it: the decisions about it, and cases without content.
CREATE FUNCTION delete_decisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM moderation_actions WHERE moderation_actions.user_uuid = OLD.uuid;
    DELETE FROM cases
    WHERE cases.user_uuid = OLD.uuid
      AND cases.closed_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM evidence WHERE evidence.case_uuid = cases.uuid);
    RETURN NULL;
END
$$;
CREATE TRIGGER users_delete_decisions AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION delete_decisions();
