-- What heavy users of the service spend of their rate limits, shared by all workers. UNLOGGED: it
-- changes often, and a lost row only forgives a client one minute.
CREATE UNLOGGED TABLE rates (
    bucket bytea PRIMARY KEY,
    full_at timestamptz NOT NULL
) WITH (fillfactor = 50);

COMMENT ON COLUMN rates.bucket IS 'digest of the policy and the client';
COMMENT ON COLUMN rates.full_at IS 'when the bucket is full again, if nothing more is spent';

-- As for every column (docs/decisions/0008).
ALTER TABLE rates
    ALTER COLUMN bucket SET STATISTICS 0,
    ALTER COLUMN full_at SET STATISTICS 0;
