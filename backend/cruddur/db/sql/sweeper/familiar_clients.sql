DELETE FROM familiar_clients
WHERE seen_at <= now() - interval '180 days'
