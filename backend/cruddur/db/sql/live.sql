-- name: create_ticket
INSERT INTO stream_tickets (ticket_hash, user_uuid, session_uuid, access_ends_at, expires_at)
SELECT
    :ticket_hash,
    viewer.uuid,
    :session,
    :access_ends_at,
    now() + :lifetime
FROM signed_in(:viewer, :session) AS viewer

-- name: audience
-- Which of these :viewers follow these users.
SELECT
    follows.followee_uuid,
    follows.follower_uuid
FROM follows
WHERE follows.followee_uuid = ANY(:uuids::uuid[])
  AND follows.follower_uuid = ANY(:viewers::uuid[])

-- name: cruds
-- Live cruds and replies as an anonymous client sees them.
SELECT
    {crud_columns},
    live_activities.user_uuid,
    CASE
        WHEN live_activities.reply_to_activity_uuid IS NOT NULL THEN (
            SELECT activities.user_uuid
            FROM activities
            WHERE activities.uuid = live_activities.reply_to_activity_uuid
        )
    END AS parent_user_uuid,
    ARRAY(
        SELECT activity_tags.tag
        FROM activity_tags
        WHERE activity_tags.activity_uuid = live_activities.uuid
        ORDER BY activity_tags.tag
    ) AS tags,
    EXISTS (
        SELECT FROM users AS author
        WHERE author.uuid = live_activities.user_uuid
          AND author.limited_until > now()
    ) AS is_limited
FROM live_activities
WHERE live_activities.uuid = ANY(:uuids::uuid[])

-- name: delete_foreign
DELETE FROM events

-- name: expiring
-- The expiries of cruds, messages and announcements in a range of time, of swept and other rows.
-- `recipient_uuid` is NULL except for a message. Those of announcements have the nil UUID for a user; when
-- they are swept, it is an event.
SELECT
    activities.uuid,
    activities.user_uuid,
    activities.reply_to_activity_uuid AS parent_uuid,
    NULL::uuid AS recipient_uuid,
    activities.expires_at
FROM activities
WHERE activities.expires_at > :after
  AND activities.expires_at <= COALESCE(:until, now())
UNION ALL
SELECT
    expired_activities.uuid,
    expired_activities.user_uuid,
    expired_activities.parent_uuid,
    NULL::uuid AS recipient_uuid,
    expired_activities.expired_at AS expires_at
FROM expired_activities
WHERE expired_activities.expired_at > :after
  AND expired_activities.expired_at <= COALESCE(:until, now())
UNION ALL
SELECT
    messages.uuid,
    messages.user_uuid,
    NULL::uuid AS parent_uuid,
    (
        SELECT conversations.user_uuid
        FROM conversations
        WHERE conversations.uuid = messages.message_group_uuid
          AND conversations.other_uuid = messages.user_uuid
    ) AS recipient_uuid,
    messages.expires_at
FROM messages
WHERE messages.expires_at > :after
  AND messages.expires_at <= COALESCE(:until, now())
  AND messages.expires_at < 'infinity'
UNION ALL
SELECT
    expired_messages.uuid,
    expired_messages.user_uuid,
    NULL::uuid AS parent_uuid,
    expired_messages.recipient_uuid,
    expired_messages.expired_at AS expires_at
FROM expired_messages
WHERE expired_messages.expired_at > :after
  AND expired_messages.expired_at <= COALESCE(:until, now())
UNION ALL
SELECT
    announcements.uuid,
    '00000000-0000-0000-0000-000000000000' AS user_uuid,
    NULL AS parent_uuid,
    NULL AS recipient_uuid,
    announcements.expires_at
FROM announcements
WHERE announcements.expires_at > :after
  AND announcements.expires_at <= COALESCE(:until, now())
ORDER BY expires_at
LIMIT :limit

-- name: hidden
-- The authors who are hidden from each of these viewers; `until` is NULL if that has no end.
SELECT
    hidden_authors.viewer_uuid,
    hidden_authors.author_uuid,
    NULLIF(hidden_authors.until, 'infinity') AS until
FROM hidden_authors
WHERE hidden_authors.viewer_uuid = ANY(:viewers::uuid[])

-- name: is_foreign
-- Whether the log has events of another server: here, no transaction from xmax on is complete.
SELECT COALESCE(
    (SELECT max(events.xid) FROM events) >= pg_snapshot_xmax(pg_current_snapshot()),
    false
)

-- name: is_known
-- Whether the log has the newest events of both snapshots of a position. Events are deleted in the
-- order of snapshots, so then it has all later ones. A position in an empty log has no event.
SELECT
    CASE
        WHEN :seen::xid8 = '0' THEN :at > now() - interval '15 minutes'
        ELSE EXISTS (SELECT FROM events WHERE events.xid = :seen)
    END
    AND (
        :newest::xid8 = '0'
        OR EXISTS (
            SELECT FROM events
            WHERE events.xid = :newest
              AND events.created_at = :at
        )
    )

-- name: listen
-- Shared by all connections that listen.
SELECT pg_backend_pid()
FROM pg_advisory_lock_shared(:lock)

-- name: messages
-- Live messages with the two users of their conversation, unless one blocks the other. `recipient_uuid` is
-- the user who received the message, and `is_request` whether the conversation is a request for them.
SELECT
    messages.uuid,
    users.display_name,
    users.handle,
    users.avatar_url,
    messages.message,
    messages.created_at,
    messages.expires_at,
    messages.kind,
    messages.lifetime,
    messages.message_group_uuid,
    messages.user_uuid,
    received.user_uuid AS recipient_uuid,
    NOT received.has_accepted AND NOT EXISTS (
        SELECT FROM follows
        WHERE follows.follower_uuid = received.user_uuid
          AND follows.followee_uuid = messages.user_uuid
    ) AS is_request
FROM live_messages AS messages
JOIN users ON users.uuid = messages.user_uuid
JOIN conversations AS received
    ON received.uuid = messages.message_group_uuid
    AND received.other_uuid = messages.user_uuid
WHERE messages.uuid = ANY(:uuids::uuid[])
  AND NOT EXISTS (
      SELECT FROM blocked_pairs
      WHERE blocked_pairs.viewer_uuid = received.user_uuid
        AND blocked_pairs.other_uuid = messages.user_uuid
  )

-- name: more_events
-- Further events of a batch, in the order of their ids.
SELECT
    events.id,
    events.kind,
    events.subject_uuid,
    events.user_uuid,
    events.parent_uuid,
    events.traceparent,
    events.created_at
FROM events
WHERE events.id > :after_id
  AND NOT pg_visible_in_snapshot(events.xid, :seen)
  AND pg_visible_in_snapshot(events.xid, :until)
ORDER BY events.id
LIMIT :limit

-- name: notifications
-- Notifications as their recipients see them, without those about expired cruds and messages, and of
-- hidden users.
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
LEFT JOIN live_messages AS messages ON messages.uuid = notifications.message_uuid
WHERE notifications.uuid = ANY(:uuids::uuid[])
  AND (
      live_activities.uuid IS NOT NULL
      OR messages.uuid IS NOT NULL
      OR notifications.kind = 'follow'
  )
  AND NOT EXISTS (
      SELECT FROM hidden_authors
      WHERE hidden_authors.viewer_uuid = notifications.user_uuid
        AND hidden_authors.author_uuid = notifications.actor_uuid
  )

-- name: notify
-- Wakes the processes that listen, if there is one except the sender.
SELECT pg_notify(:channel, :sender)
WHERE EXISTS (
    SELECT FROM pg_locks
    WHERE pg_locks.locktype = 'advisory'
      AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pg_locks.classid = 0
      AND pg_locks.objid = :lock::bigint::oid
      AND pg_locks.objsubid = 1
      AND pg_locks.pid <> :own_process_id
)

-- name: now
-- The visible transactions, the newest event among them, and the time of the database, which
-- decides what is visible. No row on a standby, whose snapshots lack the transactions in progress.
SELECT
    pg_current_snapshot() AS snapshot,
    newest.xid AS newest,
    newest.created_at AS newest_at,
    clock_timestamp() AS clock
FROM (SELECT WHERE NOT pg_is_in_recovery()) AS primary_server
LEFT JOIN LATERAL (
    SELECT
        events.xid,
        events.created_at
    FROM events
    WHERE events.xid < pg_snapshot_xmax(pg_current_snapshot())
    ORDER BY events.xid DESC
    LIMIT 1
) AS newest ON true

-- name: take_ticket
-- Deletes a ticket, which can be used once, and returns it.
DELETE FROM stream_tickets
WHERE stream_tickets.ticket_hash = :ticket_hash
  AND stream_tickets.expires_at > now()
RETURNING user_uuid AS uuid, session_uuid, access_ends_at

-- name: unlisten
SELECT pg_advisory_unlock_shared(:lock)

-- name: unseen_events
-- The events that are visible in one snapshot and not in an earlier one, in the order of their ids.
-- A transaction that is not visible in a snapshot is in progress there or comes after it, so the
-- index on xid finds its events. The inner limits bound the work where too many events are useless.
-- They also keep the planner from reading the log in the order of ids.
SELECT
    unseen.id,
    unseen.kind,
    unseen.subject_uuid,
    unseen.user_uuid,
    unseen.parent_uuid,
    unseen.traceparent,
    unseen.created_at
FROM (
    (
        SELECT events.*
        FROM events
        WHERE events.xid >= pg_snapshot_xmax(:seen)
          AND events.xid < pg_snapshot_xmax(:until)
          AND pg_visible_in_snapshot(events.xid, :until)
          AND events.id > :after_id
        LIMIT :most
    )
    UNION ALL
    (
        SELECT events.*
        FROM events
        WHERE events.xid = ANY(ARRAY(SELECT pg_snapshot_xip(:seen)))
          AND pg_visible_in_snapshot(events.xid, :until)
          AND events.id > :after_id
        LIMIT :most
    )
) AS unseen
ORDER BY unseen.id
LIMIT :limit

-- name: users
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM users
WHERE users.uuid = ANY(:uuids::uuid[])
