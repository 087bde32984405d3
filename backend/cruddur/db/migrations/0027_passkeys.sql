-- Passkeys of local accounts (docs/decisions/0028).
CREATE TABLE passkeys (
    uuid uuid PRIMARY KEY DEFAULT uuidv7(),
    user_uuid uuid NOT NULL REFERENCES accounts (user_uuid) ON DELETE CASCADE,
    -- The id that the authenticator has chosen, and the public key with it (attested credential data).
    credential_id bytea NOT NULL CONSTRAINT passkeys_credential_id_key UNIQUE,
    credential bytea NOT NULL,
    -- The counter of the last signature; 0 if the authenticator does not count.
    sign_count bigint NOT NULL,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);
CREATE INDEX passkeys_user_uuid_idx ON passkeys (user_uuid);

-- Challenges that wait for an answer. Each is for one attempt, whose token is stored as a digest. A
-- challenge for a new passkey is for one session, too.
CREATE TABLE passkey_challenges (
    attempt_hash bytea PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('registration', 'sign_in', 'second_factor')),
    -- What the library needs to check the answer, as JSON.
    state text NOT NULL,
    user_uuid uuid REFERENCES users (uuid) ON DELETE CASCADE,
    session_uuid uuid REFERENCES sessions (uuid) ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX passkey_challenges_expires_at_idx ON passkey_challenges (expires_at);
CREATE INDEX passkey_challenges_user_uuid_idx ON passkey_challenges (user_uuid);
CREATE INDEX passkey_challenges_session_uuid_idx ON passkey_challenges (session_uuid);

ALTER TABLE passkeys
    ALTER COLUMN uuid SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN credential_id SET STATISTICS 0,
    ALTER COLUMN credential SET STATISTICS 0,
    ALTER COLUMN sign_count SET STATISTICS 0,
    ALTER COLUMN name SET STATISTICS 0,
    ALTER COLUMN created_at SET STATISTICS 0,
    ALTER COLUMN used_at SET STATISTICS 0;
ALTER TABLE passkey_challenges
    ALTER COLUMN attempt_hash SET STATISTICS 0,
    ALTER COLUMN purpose SET STATISTICS 0,
    ALTER COLUMN state SET STATISTICS 0,
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN session_uuid SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;

-- Recovery codes are for both kinds of second factors.
ALTER TABLE recovery_codes
    DROP CONSTRAINT recovery_codes_user_uuid_fkey,
    ADD CONSTRAINT recovery_codes_user_uuid_fkey
        FOREIGN KEY (user_uuid) REFERENCES accounts (user_uuid) ON DELETE CASCADE;

ALTER TABLE sessions
    DROP CONSTRAINT sessions_method_check,
    ADD CONSTRAINT sessions_method_check CHECK (
        method IN (
            'password', 'password_and_code', 'password_and_passkey', 'passkey', 'sign_up', 'api_token'
        )
    );
