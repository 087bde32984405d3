-- Members read the entries of the audit log that concern them.
CREATE INDEX audit_entries_user_uuid_idx ON audit_entries (user_uuid, created_at, uuid);
CREATE INDEX audit_entries_actor_uuid_idx ON audit_entries (actor_uuid, created_at, uuid);

-- Changes of the address of a local account. expires_at is the end of the code for the new address and,
-- once it is confirmed, of the code that was sent to the old one, which takes the change back.
CREATE TABLE email_changes (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    user_uuid uuid NOT NULL REFERENCES accounts (user_uuid) ON DELETE CASCADE,
    old_email text NOT NULL CHECK (char_length(old_email) <= 254),
    new_email text NOT NULL CHECK (char_length(new_email) <= 254),
    code_hash bytea NOT NULL,
    stop_hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    confirmed_at timestamptz,
    expires_at timestamptz NOT NULL
);
ALTER TABLE email_changes
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN old_email SET STATISTICS 0,
    ALTER COLUMN new_email SET STATISTICS 0,
    ALTER COLUMN code_hash SET STATISTICS 0,
    ALTER COLUMN stop_hash SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN confirmed_at SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
CREATE UNIQUE INDEX email_changes_waiting_key ON email_changes (user_uuid) WHERE confirmed_at IS NULL;
CREATE INDEX email_changes_user_uuid_idx ON email_changes (user_uuid);
CREATE UNIQUE INDEX email_changes_stop_hash_key ON email_changes (stop_hash);
CREATE INDEX email_changes_expires_at_idx ON email_changes (expires_at);
