-- The addresses of suspended accounts that were deleted, as SHA-256 digests, until the suspension would
-- have ended: with them, no account is opened.
CREATE TABLE suspended_addresses (
    email_digest bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX suspended_addresses_expires_at_idx ON suspended_addresses (expires_at);
ALTER TABLE suspended_addresses
    ALTER COLUMN email_digest SET STATISTICS 0,
    ALTER COLUMN expires_at SET STATISTICS 0;
