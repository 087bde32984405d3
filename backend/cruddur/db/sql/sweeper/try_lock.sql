-- Held until the transaction ends, so that a pooler cannot leak it: one process sweeps at a time.
SELECT
    pg_try_advisory_xact_lock(:lock);
