-- A ticket is good once.
DELETE FROM stream_tickets
WHERE stream_tickets.ticket_hash = :ticket_hash
  AND stream_tickets.expires_at > now()
RETURNING user_uuid AS uuid, session_uuid, access_ends_at
