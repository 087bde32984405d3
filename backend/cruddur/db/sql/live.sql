-- name: create_ticket
INSERT INTO stream_tickets (ticket_hash, user_uuid, session_uuid, access_ends_at, expires_at)
SELECT
    :ticket_hash,
    viewer.uuid,
    :session,
    :access_ends_at,
    now() + :lifetime
FROM signed_in(:viewer, :session) AS viewer

-- name: cruds
-- Live cruds and replies as an anonymous client sees them.
SELECT
    {crud_columns},
    live_activities.user_uuid
FROM live_activities
WHERE live_activities.uuid = ANY(:uuids::uuid[])

-- name: events
-- The events after an event, in the order of the log.
SELECT
    events.id,
    events.kind,
    events.subject_uuid,
    events.user_uuid,
    events.parent_uuid,
    events.traceparent,
    events.created_at
FROM events
WHERE events.id > :after
  AND events.id <= COALESCE(:until, 9223372036854775807)
ORDER BY events.id
LIMIT :limit

-- name: expiring
-- The expiries in a range of time, of swept and other rows.
SELECT
    activities.uuid,
    activities.user_uuid,
    activities.reply_to_activity_uuid AS parent_uuid,
    activities.expires_at
FROM activities
WHERE activities.expires_at > :after
  AND activities.expires_at <= COALESCE(:until, now())
UNION ALL
SELECT
    expired_activities.uuid,
    expired_activities.user_uuid,
    expired_activities.parent_uuid,
    expired_activities.expired_at AS expires_at
FROM expired_activities
WHERE expired_activities.expired_at > :after
  AND expired_activities.expired_at <= COALESCE(:until, now())
ORDER BY expires_at
LIMIT :limit

-- name: happened_at
-- The time of an event. No row if it has left the log or never existed. Position 0 is before the
-- first event, so it is as old as event 1.
SELECT events.created_at
FROM events
WHERE events.id = COALESCE(NULLIF(:event_id::bigint, 0), 1)

-- name: messages
-- Messages with the two users of their conversation.
SELECT
    messages.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    messages.message,
    messages.created_at,
    messages.message_group_uuid,
    message_groups.low_user_uuid,
    message_groups.high_user_uuid
FROM messages
JOIN users ON users.uuid = messages.user_uuid
JOIN message_groups ON message_groups.uuid = messages.message_group_uuid
WHERE messages.uuid = ANY(:uuids::uuid[])

-- name: notifications
-- Notifications as their recipients see them, without those about expired cruds.
SELECT
    {notification_columns},
    notifications.user_uuid,
    EXISTS (
        SELECT FROM likes
        WHERE likes.activity_uuid = notifications.activity_uuid
          AND likes.user_uuid = notifications.user_uuid
    ) AS liked,
    EXISTS (
        SELECT FROM reposts
        WHERE reposts.activity_uuid = notifications.activity_uuid
          AND reposts.user_uuid = notifications.user_uuid
    ) AS reposted
FROM notifications
JOIN users AS actor ON actor.uuid = notifications.actor_uuid
LEFT JOIN live_activities ON live_activities.uuid = notifications.activity_uuid
LEFT JOIN messages ON messages.uuid = notifications.message_uuid
WHERE notifications.uuid = ANY(:uuids::uuid[])
  AND (live_activities.uuid IS NOT NULL OR notifications.kind = 'message')

-- name: now
-- The latest event, and the time of the database, which decides what is visible.
SELECT
    COALESCE((SELECT max(events.id) FROM events), 0) AS latest,
    clock_timestamp() AS clock

-- name: take_ticket
-- Deletes a ticket, which can be used once, and returns it.
DELETE FROM stream_tickets
WHERE stream_tickets.ticket_hash = :ticket_hash
  AND stream_tickets.expires_at > now()
RETURNING user_uuid AS uuid, session_uuid, access_ends_at
