DELETE FROM throttles
WHERE resets_at <= now()
