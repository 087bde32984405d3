-- The second factor of local accounts: codes of an authenticator app (docs/decisions/0023).
CREATE TABLE second_factors (
    user_uuid uuid PRIMARY KEY REFERENCES accounts (user_uuid) ON DELETE CASCADE,
    -- Encrypted like the refresh tokens of a provider.
    sealed_secret bytea NOT NULL,
    -- Identifies the key of the encryption, so that secrets of a replaced key are found.
    key_digest bytea NOT NULL,
    -- NULL until a code has been entered. Sign-ins do not ask for one before.
    confirmed_at timestamptz,
    -- The time step of the last code, in units of 30 seconds since 1970: no code works twice.
    used_step bigint NOT NULL DEFAULT 0
);

-- Recovery codes that were not used, as SHA-256 digests.
CREATE TABLE recovery_codes (
    user_uuid uuid NOT NULL REFERENCES second_factors (user_uuid) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    PRIMARY KEY (user_uuid, code_hash)
);

ALTER TABLE second_factors
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN sealed_secret SET STATISTICS 0,
    ALTER COLUMN key_digest SET STATISTICS 0,
    ALTER COLUMN confirmed_at SET STATISTICS 0,
    ALTER COLUMN used_step SET STATISTICS 0;
ALTER TABLE recovery_codes
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN code_hash SET STATISTICS 0;
