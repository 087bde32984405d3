INSERT INTO stream_tickets (ticket_hash, user_uuid, session_uuid, access_ends_at, expires_at)
VALUES (:ticket_hash, :user_uuid, :session_uuid, :access_ends_at, now() + :lifetime)
