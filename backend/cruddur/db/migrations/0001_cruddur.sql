-- The whole of Cruddur's data. Visibility is never stored: a crud is visible while
-- expires_at > now(), and everything that hangs on it goes with it by foreign key.
-- Every foreign key has an index, so that deleting a parent never scans a child.

-- Who is who. `issuer` and `subject` are the `iss` and `sub` of the access token that
-- proves the person; handles are stored in lower case and compared in lower case.
CREATE TABLE users (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    issuer text NOT NULL CHECK (char_length(issuer) <= 255),
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    handle text NOT NULL CONSTRAINT users_handle_key UNIQUE CHECK (handle ~ '^[a-z0-9_]{2,30}$'),
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 50),
    bio text NOT NULL DEFAULT '' CHECK (char_length(bio) <= 500),
    email text CHECK (char_length(email) <= 254),
    avatar_digest text,
    avatar_url text GENERATED ALWAYS AS (
        '/api/avatars/' || subject || '.jpg?v=' || avatar_digest
    ) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_issuer_subject_key UNIQUE (issuer, subject)
);

-- A subject whose owner deleted the account: a token that is still valid must not
-- bring the person back before it has expired.
CREATE TABLE deleted_subjects (
    issuer text NOT NULL,
    subject text NOT NULL,
    forget_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX deleted_subjects_forget_at_idx ON deleted_subjects (forget_at);

-- The credentials of a local account. Addresses come in lower case.
CREATE TABLE accounts (
    user_uuid uuid PRIMARY KEY REFERENCES users (uuid) ON DELETE CASCADE,
    email text NOT NULL CONSTRAINT accounts_email_key UNIQUE CHECK (char_length(email) <= 254),
    password_hash text NOT NULL
);

-- A sign-up that waits for its code. It reserves the handle, not the address, so that
-- an address that is taken and one that is not behave alike.
CREATE TABLE signups (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    email text NOT NULL CHECK (char_length(email) <= 254),
    handle text NOT NULL CONSTRAINT signups_handle_key UNIQUE CHECK (handle ~ '^[a-z0-9_]{2,30}$'),
    expires_at timestamptz NOT NULL
);
CREATE INDEX signups_email_idx ON signups (email);
CREATE INDEX signups_expires_at_idx ON signups (expires_at);

-- Who signs up twice has two codes, and each opens the account with the password that it
-- was sent for: nobody can put theirs under somebody else's code.
CREATE TABLE signup_attempts (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    signup_uuid uuid NOT NULL REFERENCES signups (uuid) ON DELETE CASCADE,
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 50),
    password_hash text NOT NULL,
    code_hash bytea NOT NULL,
    tries_left smallint NOT NULL CHECK (tries_left >= 0),
    code_expires_at timestamptz NOT NULL
);
CREATE INDEX signup_attempts_signup_uuid_idx ON signup_attempts (signup_uuid);

CREATE TABLE password_resets (
    user_uuid uuid PRIMARY KEY REFERENCES users (uuid) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    tries_left smallint NOT NULL CHECK (tries_left >= 0),
    expires_at timestamptz NOT NULL
);
CREATE INDEX password_resets_expires_at_idx ON password_resets (expires_at);

-- One signed-in device. Its refresh tokens form a family: a token that was used
-- before, shown again, ends the session. `sealed_token` is the identity provider's own
-- refresh token, encrypted; local accounts have none.
CREATE TABLE sessions (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    device text NOT NULL CHECK (char_length(device) <= 200),
    address text NOT NULL CHECK (char_length(address) <= 64),
    sealed_token bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user_uuid_idx ON sessions (user_uuid);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_uuid uuid NOT NULL REFERENCES sessions (uuid) ON DELETE CASCADE,
    used_at timestamptz
);
CREATE INDEX refresh_tokens_session_uuid_idx ON refresh_tokens (session_uuid);
CREATE INDEX refresh_tokens_used_at_idx ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;

-- The keys that sign our access tokens; the newest signs, all verify.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    private_key text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Attempts per address and per account. Lost in a crash, which only forgives.
CREATE UNLOGGED TABLE throttles (
    bucket text PRIMARY KEY,
    attempts integer NOT NULL,
    resets_at timestamptz NOT NULL
);
CREATE INDEX throttles_resets_at_idx ON throttles (resets_at);

-- Cruds and replies. Likes and reposts have no clock of their own, so their counters
-- are kept here by triggers; replies expire, so they are counted when they are read.
CREATE TABLE activities (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    reply_to_activity_uuid uuid REFERENCES activities (uuid) ON DELETE CASCADE,
    message text NOT NULL CHECK (char_length(message) BETWEEN 1 AND 1024),
    likes_count integer NOT NULL DEFAULT 0 CHECK (likes_count >= 0),
    reposts_count integer NOT NULL DEFAULT 0 CHECK (reposts_count >= 0),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    search tsvector NOT NULL GENERATED ALWAYS AS (
        to_tsvector('english'::regconfig, message) || to_tsvector('simple'::regconfig, message)
    ) STORED,
    CHECK (reply_to_activity_uuid IS NOT NULL OR char_length(message) <= 280)
) WITH (fillfactor = 90); -- room on the page, so that a new count need not touch an index

-- expires_at is a key column in these, not an included one: only a key column is tested
-- inside the index, so the dead among the newest are passed over without a heap visit.
CREATE INDEX activities_home_idx ON activities (created_at DESC, uuid DESC, expires_at)
    WHERE reply_to_activity_uuid IS NULL;
CREATE INDEX activities_user_idx ON activities (user_uuid, created_at DESC, uuid DESC, expires_at);
CREATE INDEX activities_replies_idx
    ON activities (reply_to_activity_uuid, created_at, uuid, expires_at)
    WHERE reply_to_activity_uuid IS NOT NULL;
CREATE INDEX activities_expires_at_idx ON activities (expires_at);
CREATE INDEX activities_search_idx ON activities USING gin (search);

-- What anybody may see. A crud or reply is shown only from this view; statements that
-- only count, rank or page over cruds look at the same clock by themselves.
CREATE VIEW live_activities AS
SELECT
    activities.uuid,
    activities.user_uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    activities.message,
    activities.created_at,
    activities.expires_at,
    (
        SELECT count(*)
        FROM activities AS replies
        WHERE replies.reply_to_activity_uuid = activities.uuid
          AND replies.expires_at > now()
    )::integer AS replies_count,
    activities.reposts_count,
    activities.likes_count,
    activities.reply_to_activity_uuid,
    activities.search
FROM activities
JOIN users ON users.uuid = activities.user_uuid
WHERE activities.expires_at > now();

CREATE TABLE activity_tags (
    activity_uuid uuid NOT NULL REFERENCES activities (uuid) ON DELETE CASCADE,
    tag text NOT NULL CHECK (char_length(tag) BETWEEN 1 AND 100),
    PRIMARY KEY (activity_uuid, tag)
);
CREATE INDEX activity_tags_tag_idx ON activity_tags (tag, activity_uuid);

CREATE TABLE likes (
    activity_uuid uuid NOT NULL REFERENCES activities (uuid) ON DELETE CASCADE,
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (activity_uuid, user_uuid)
);
CREATE INDEX likes_user_uuid_idx ON likes (user_uuid);

CREATE TABLE reposts (
    activity_uuid uuid NOT NULL REFERENCES activities (uuid) ON DELETE CASCADE,
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (activity_uuid, user_uuid)
);
CREATE INDEX reposts_user_idx ON reposts (user_uuid, created_at DESC, activity_uuid DESC);

-- One conversation per pair of people, whoever starts it.
CREATE TABLE message_groups (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    low_user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    high_user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    low_read_at timestamptz NOT NULL DEFAULT '-infinity',
    high_read_at timestamptz NOT NULL DEFAULT '-infinity',
    latest_message_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT message_groups_pair_key UNIQUE (low_user_uuid, high_user_uuid),
    CHECK (low_user_uuid < high_user_uuid)
);
CREATE INDEX message_groups_high_user_uuid_idx ON message_groups (high_user_uuid);

CREATE TABLE messages (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    message_group_uuid uuid NOT NULL REFERENCES message_groups (uuid) ON DELETE CASCADE,
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    message text NOT NULL CHECK (char_length(message) BETWEEN 1 AND 1024),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX messages_group_idx ON messages (message_group_uuid, created_at DESC, uuid DESC);
CREATE INDEX messages_user_uuid_idx ON messages (user_uuid);

-- What happened to somebody: `user_uuid` is told that `actor_uuid` did `kind`.
-- `activity_uuid` is the reply, the mentioning crud, or the crud liked or reposted.
CREATE TABLE notifications (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    actor_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('reply', 'like', 'repost', 'mention', 'message')),
    activity_uuid uuid REFERENCES activities (uuid) ON DELETE CASCADE,
    message_uuid uuid REFERENCES messages (uuid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'message') = (message_uuid IS NOT NULL)),
    CHECK ((kind = 'message') = (activity_uuid IS NULL)),
    CHECK (user_uuid <> actor_uuid)
);
CREATE INDEX notifications_user_idx ON notifications (user_uuid, created_at DESC, uuid DESC);
CREATE INDEX notifications_actor_uuid_idx ON notifications (actor_uuid);
CREATE UNIQUE INDEX notifications_activity_key
    ON notifications (activity_uuid, user_uuid, actor_uuid, kind);
CREATE INDEX notifications_message_uuid_idx ON notifications (message_uuid);

-- The stored form of a picture: a square JPEG. Its digest, in users, is part of its
-- address and makes that address immutable.
CREATE TABLE avatars (
    user_uuid uuid PRIMARY KEY REFERENCES users (uuid) ON DELETE CASCADE,
    jpeg bytea NOT NULL
);

-- Idempotency-Key. The key is remembered for 24 hours; the answer only for as long as
-- what it describes, because it quotes it.
CREATE TABLE idempotency_keys (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    member text NOT NULL,
    route text NOT NULL,
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 128),
    body_digest bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_key UNIQUE (member, route, key)
);
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);

CREATE TABLE idempotency_answers (
    key_uuid uuid PRIMARY KEY REFERENCES idempotency_keys (uuid) ON DELETE CASCADE,
    activity_uuid uuid REFERENCES activities (uuid) ON DELETE CASCADE,
    message_uuid uuid REFERENCES messages (uuid) ON DELETE CASCADE,
    answer bytea NOT NULL
);
CREATE INDEX idempotency_answers_activity_uuid_idx ON idempotency_answers (activity_uuid);
CREATE INDEX idempotency_answers_message_uuid_idx ON idempotency_answers (message_uuid);

-- A reply never outlives what it answers: it takes the earlier expiry when it is
-- written, and follows when its parent's expiry is brought forward.
CREATE FUNCTION inherit_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.expires_at := LEAST(
        NEW.expires_at,
        (SELECT expires_at FROM activities WHERE uuid = NEW.reply_to_activity_uuid)
    );
    RETURN NEW;
END
$$;
CREATE TRIGGER activities_inherit_expiry
    BEFORE INSERT OR UPDATE OF expires_at ON activities
    FOR EACH ROW WHEN (NEW.reply_to_activity_uuid IS NOT NULL)
    EXECUTE FUNCTION inherit_expiry();

CREATE FUNCTION bequeath_expiry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE activities
    SET expires_at = NEW.expires_at
    WHERE reply_to_activity_uuid = NEW.uuid
      AND expires_at > NEW.expires_at;
    RETURN NULL;
END
$$;
CREATE TRIGGER activities_bequeath_expiry
    AFTER UPDATE OF expires_at ON activities
    FOR EACH ROW WHEN (NEW.expires_at < OLD.expires_at)
    EXECUTE FUNCTION bequeath_expiry();

CREATE FUNCTION count_like() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE activities SET likes_count = likes_count + 1 WHERE uuid = NEW.activity_uuid;
    ELSE
        UPDATE activities SET likes_count = likes_count - 1 WHERE uuid = OLD.activity_uuid;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER likes_count AFTER INSERT OR DELETE ON likes
    FOR EACH ROW EXECUTE FUNCTION count_like();

CREATE FUNCTION count_repost() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE activities SET reposts_count = reposts_count + 1 WHERE uuid = NEW.activity_uuid;
    ELSE
        UPDATE activities SET reposts_count = reposts_count - 1 WHERE uuid = OLD.activity_uuid;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER reposts_count AFTER INSERT OR DELETE ON reposts
    FOR EACH ROW EXECUTE FUNCTION count_repost();

-- A conversation is listed by its latest message.
CREATE FUNCTION bump_message_group() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE message_groups
    SET latest_message_at = GREATEST(latest_message_at, NEW.created_at)
    WHERE uuid = NEW.message_group_uuid;
    RETURN NULL;
END
$$;
CREATE TRIGGER messages_bump_group AFTER INSERT ON messages
    FOR EACH ROW EXECUTE FUNCTION bump_message_group();
