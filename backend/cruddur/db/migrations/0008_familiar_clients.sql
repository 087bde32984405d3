-- Devices and addresses that a person has signed in from, as keyed digests. Limits that strangers
-- use up do not hold for them.
CREATE TABLE familiar_clients (
    user_uuid uuid NOT NULL REFERENCES users (uuid) ON DELETE CASCADE,
    client_hash bytea NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_uuid, client_hash)
);
CREATE INDEX familiar_clients_seen_at_idx ON familiar_clients (seen_at);
ALTER TABLE familiar_clients
    ALTER COLUMN user_uuid SET STATISTICS 0,
    ALTER COLUMN client_hash SET STATISTICS 0,
    ALTER COLUMN seen_at SET STATISTICS 0;

-- A handle and an e-mail address of one account share their limits.
CREATE INDEX users_email_idx ON users (lower(email));
ALTER INDEX users_email_idx ALTER COLUMN 1 SET STATISTICS 0;

-- Tries are counted per client, in `throttles`. The release before still counts here.
ALTER TABLE signup_attempts ALTER COLUMN tries_left SET DEFAULT 5;
ALTER TABLE password_resets ALTER COLUMN tries_left SET DEFAULT 5;
