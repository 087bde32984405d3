-- Which transactions are visible, and when the next crud will have expired.
SELECT
    pg_current_snapshot() AS transactions,
    (
        SELECT min(activities.expires_at)
        FROM activities
        WHERE activities.expires_at > now()
    ) AS next_expiry
