-- name: current
-- The visible transactions of this server, and the time of the next expiry. A server that was
-- restored or promoted may reuse the numbers of lost transactions, so the server is included.
SELECT
    pg_current_snapshot() AS transactions,
    pg_postmaster_start_time() AS server_since,
    (
        SELECT min(activities.expires_at)
        FROM activities
        WHERE activities.expires_at > now()
    ) AS next_expiry
