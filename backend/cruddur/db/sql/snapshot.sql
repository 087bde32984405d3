-- name: current
-- Which transactions of this server are visible, and when the next crud will have expired. One
-- that was restored, or took over, may give the numbers of lost transactions once more.
SELECT
    pg_current_snapshot() AS transactions,
    pg_postmaster_start_time() AS server_since,
    (
        SELECT min(activities.expires_at)
        FROM activities
        WHERE activities.expires_at > now()
    ) AS next_expiry
