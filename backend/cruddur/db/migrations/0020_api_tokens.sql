-- How a session began. A session with `api_token` belongs to a row of api_tokens.
ALTER TABLE sessions
    ADD COLUMN method text NOT NULL DEFAULT 'password'
        CHECK (method IN ('password', 'password_and_code', 'sign_up', 'api_token')),
    ALTER COLUMN method SET STATISTICS 0;

-- Tokens for programs (docs/decisions/0022). A token is a session, so that all checks of sessions hold
-- for it, and its streams end with it.
CREATE TABLE api_tokens (
    session_uuid uuid PRIMARY KEY REFERENCES sessions (uuid) ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT api_tokens_token_hash_key UNIQUE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 50),
    scopes text[] NOT NULL
        CHECK (scopes <@ ARRAY['read', 'write', 'message'] AND cardinality(scopes) >= 1)
);
ALTER TABLE api_tokens
    ALTER COLUMN session_uuid SET STATISTICS 0,
    ALTER COLUMN token_hash SET STATISTICS 0,
    ALTER COLUMN name SET STATISTICS 0,
    ALTER COLUMN scopes SET STATISTICS 0;
