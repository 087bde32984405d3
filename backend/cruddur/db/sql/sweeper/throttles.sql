DELETE FROM throttles
WHERE resets_at BETWEEN '-infinity' AND now()
