DELETE FROM rates
WHERE full_at <= now()
