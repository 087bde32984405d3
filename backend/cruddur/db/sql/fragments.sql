-- name: crud_columns
-- A crud, from live_activities.
live_activities.uuid,
live_activities.display_name,
live_activities.handle,
live_activities.avatar_url,
live_activities.message,
live_activities.created_at,
live_activities.expires_at,
live_activities.replies_count,
live_activities.reposts_count,
live_activities.likes_count,
live_activities.reply_to_activity_uuid

-- name: viewer_reactions
-- Whether the viewer, of a CTE with at most one row, has liked and reposted a live crud.
EXISTS (
    SELECT FROM likes
    WHERE likes.activity_uuid = live_activities.uuid
      AND likes.user_uuid = (SELECT viewer.uuid FROM viewer)
) AS liked,
EXISTS (
    SELECT FROM reposts
    WHERE reposts.activity_uuid = live_activities.uuid
      AND reposts.user_uuid = (SELECT viewer.uuid FROM viewer)
) AS reposted

-- name: created_crud_columns
-- A crud that the statement inserts, from the CTEs created and author.
created.uuid,
author.display_name,
author.handle,
author.avatar_url,
created.message,
created.created_at,
created.expires_at,
0 AS replies_count,
0 AS reposts_count,
0 AS likes_count,
created.reply_to_activity_uuid,
false AS liked,
false AS reposted

-- name: notification_columns
-- A notification with its actor, and its live crud or its message.
notifications.uuid,
notifications.kind,
notifications.created_at,
notifications.activity_uuid,
actor.display_name,
actor.handle,
actor.avatar_url,
messages.message_group_uuid,
COALESCE(live_activities.message, messages.message) AS message,
live_activities.expires_at,
COALESCE(live_activities.replies_count, 0) AS replies_count,
COALESCE(live_activities.reposts_count, 0) AS reposts_count,
COALESCE(live_activities.likes_count, 0) AS likes_count,
live_activities.reply_to_activity_uuid

-- name: snapshot
-- Names everything that is visible to the statement: the visible transactions of this server, and
-- the time of the next expiry. A server that was restored or promoted may reuse the numbers of lost
-- transactions, so the server is included.
concat_ws(
    ' ',
    pg_current_snapshot(),
    pg_postmaster_start_time(),
    (
        SELECT min(activities.expires_at)
        FROM activities
        WHERE activities.expires_at > now()
    )
)
