-- The digest of the token that a refresh token was exchanged for, so that each copy of it that is
-- shown within the grace period leads to the same one.
ALTER TABLE refresh_tokens ADD COLUMN successor_hash bytea;
ALTER TABLE refresh_tokens ALTER COLUMN successor_hash SET STATISTICS 0;
