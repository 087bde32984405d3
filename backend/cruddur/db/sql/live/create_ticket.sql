INSERT INTO stream_tickets (ticket_hash, user_uuid, session_uuid, access_ends_at, expires_at)
SELECT
    :ticket_hash,
    viewer.uuid,
    :session,
    :access_ends_at,
    now() + :lifetime
FROM signed_in(:viewer, :session) AS viewer
