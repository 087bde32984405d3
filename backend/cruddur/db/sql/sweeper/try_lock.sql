-- Held until the connection closes: one process sweeps at a time.
SELECT
    pg_try_advisory_lock(:lock);
