DELETE FROM stream_tickets
WHERE expires_at BETWEEN '-infinity' AND now()
