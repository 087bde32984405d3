-- The parts of an export of a member's own data (docs/export.md). Each statement returns a batch of rows
-- after a position, NULL at the start: the position of each, and what the file says about it, as JSON.

-- name: api_tokens
-- The API tokens, without the tokens themselves.
SELECT
    sessions.uuid::text AS position,
    json_build_object(
        'uuid', sessions.uuid,
        'name', api_tokens.name,
        'scopes', api_tokens.scopes,
        'created_at', sessions.created_at,
        'used_at', sessions.used_at,
        'expires_at', sessions.expires_at
    )::text AS item
FROM sessions
JOIN api_tokens ON api_tokens.session_uuid = sessions.uuid
WHERE sessions.user_uuid = :viewer
  AND sessions.expires_at > now()
  AND sessions.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY sessions.uuid
LIMIT :batch::bigint

-- name: blocks
-- The users that the member blocks. Those that block the member are left out.
SELECT
    blocks.blocked_uuid::text AS position,
    json_build_object(
        'handle', users.handle,
        'created_at', blocks.created_at
    )::text AS item
FROM blocks
JOIN users ON users.uuid = blocks.blocked_uuid
WHERE blocks.blocker_uuid = :viewer
  AND blocks.blocked_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY blocks.blocked_uuid
LIMIT :batch::bigint

-- name: conversations
-- The conversations. The other user is NULL if one of both blocks the other.
SELECT
    joined.uuid::text AS position,
    json_build_object(
        'uuid', joined.uuid,
        'with', other.handle,
        'is_accepted', joined.has_accepted,
        'read_at', NULLIF(joined.read_at, '-infinity'),
        'cleared_at', NULLIF(joined.cleared_at, '-infinity'),
        'lifetime_seconds', extract(epoch FROM joined.lifetime)::integer
    )::text AS item
FROM conversations AS joined
LEFT JOIN users AS other
    ON other.uuid = joined.other_uuid
    AND {is_visible}
WHERE joined.user_uuid = :viewer
  AND joined.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY joined.uuid
LIMIT :batch::bigint

-- name: cruds
-- The live cruds and replies.
SELECT
    activities.uuid::text AS position,
    json_build_object(
        'uuid', activities.uuid,
        'reply_to_activity_uuid', activities.reply_to_activity_uuid,
        'message', activities.message,
        'created_at', activities.created_at,
        'expires_at', activities.expires_at,
        'likes_count', activities.likes_count,
        'reposts_count', activities.reposts_count,
        'tags', ARRAY(
            SELECT activity_tags.tag
            FROM activity_tags
            WHERE activity_tags.activity_uuid = activities.uuid
            ORDER BY activity_tags.tag
        ),
        'link', (
            SELECT activity_links.url
            FROM activity_links
            WHERE activity_links.activity_uuid = activities.uuid
        ),
        'pictures', activities.pictures
    )::text AS item
FROM activities
WHERE activities.user_uuid = :viewer
  AND activities.expires_at > now()
  AND activities.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY activities.uuid
LIMIT :batch::bigint

-- name: email_changes
-- The changes of the address that wait for their code, or can be taken back, without the codes.
SELECT
    email_changes.uuid::text AS position,
    json_build_object(
        'old_email', email_changes.old_email,
        'new_email', email_changes.new_email,
        'created_at', email_changes.created_at,
        'confirmed_at', email_changes.confirmed_at,
        'expires_at', email_changes.expires_at
    )::text AS item
FROM email_changes
WHERE email_changes.user_uuid = :viewer
  AND email_changes.expires_at > now()
  AND email_changes.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY email_changes.uuid
LIMIT :batch::bigint

-- name: followed_tags
-- The tags that the member follows.
SELECT
    followed_tags.tag::text AS position,
    json_build_object(
        'tag', followed_tags.tag,
        'created_at', followed_tags.created_at
    )::text AS item
FROM followed_tags
WHERE followed_tags.user_uuid = :viewer
  AND followed_tags.tag > COALESCE(:position::text, '')
ORDER BY followed_tags.tag
LIMIT :batch::bigint

-- name: followers
-- The users that follow the member.
SELECT
    follows.follower_uuid::text AS position,
    json_build_object(
        'handle', users.handle,
        'created_at', follows.created_at
    )::text AS item
FROM follows
JOIN users ON users.uuid = follows.follower_uuid
WHERE follows.followee_uuid = :viewer
  AND follows.follower_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY follows.follower_uuid
LIMIT :batch::bigint

-- name: following
-- The users that the member follows.
SELECT
    follows.followee_uuid::text AS position,
    json_build_object(
        'handle', users.handle,
        'created_at', follows.created_at
    )::text AS item
FROM follows
JOIN users ON users.uuid = follows.followee_uuid
WHERE follows.follower_uuid = :viewer
  AND follows.followee_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY follows.followee_uuid
LIMIT :batch::bigint

-- name: known_devices
-- When the member signed in from the devices and addresses that are recognized; only their digests
-- are stored.
SELECT
    familiar_clients.client_hash::text AS position,
    json_build_object(
        'seen_at', familiar_clients.seen_at
    )::text AS item
FROM familiar_clients
WHERE familiar_clients.user_uuid = :viewer
  AND familiar_clients.client_hash > COALESCE(:position::text, '\x')::bytea
ORDER BY familiar_clients.client_hash
LIMIT :batch::bigint

-- name: likes
-- The likes of live cruds, with their authors unless one of both users blocks the other.
SELECT
    likes.activity_uuid::text AS position,
    json_build_object(
        'activity_uuid', likes.activity_uuid,
        'author', author.handle,
        'created_at', likes.created_at
    )::text AS item
FROM likes
JOIN activities ON activities.uuid = likes.activity_uuid
{visible_author}
WHERE likes.user_uuid = :viewer
  AND activities.expires_at > now()
  AND likes.activity_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY likes.activity_uuid
LIMIT :batch::bigint

-- name: messages
-- The live messages that the member has sent, and those that they have received and can see.
SELECT
    live_messages.uuid::text AS position,
    json_build_object(
        'uuid', live_messages.uuid,
        'message_group_uuid', live_messages.message_group_uuid,
        'with', other.handle,
        'is_own', live_messages.user_uuid = :viewer,
        'kind', live_messages.kind,
        'message', live_messages.message,
        'created_at', live_messages.created_at,
        'expires_at', live_messages.expires_at
    )::text AS item
FROM conversations AS joined
JOIN live_messages ON live_messages.message_group_uuid = joined.uuid
LEFT JOIN users AS other
    ON other.uuid = joined.other_uuid
    AND {is_visible}
WHERE joined.user_uuid = :viewer
  AND (
      live_messages.user_uuid = :viewer
      OR (other.uuid IS NOT NULL AND live_messages.created_at > joined.cleared_at)
  )
  AND live_messages.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY live_messages.uuid
LIMIT :batch::bigint

-- name: mutes
-- The users that the member mutes. Those that mute the member are left out.
SELECT
    mutes.muted_uuid::text AS position,
    json_build_object(
        'handle', users.handle,
        'created_at', mutes.created_at,
        'ends_at', NULLIF(mutes.ends_at, 'infinity')
    )::text AS item
FROM mutes
JOIN users ON users.uuid = mutes.muted_uuid
WHERE mutes.muter_uuid = :viewer
  AND mutes.muted_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY mutes.muted_uuid
LIMIT :batch::bigint

-- name: notices
-- The decisions of moderators about the member, as the notices show them.
SELECT
    moderation_actions.uuid::text AS position,
    json_build_object(
        'uuid', moderation_actions.uuid,
        'kind', moderation_actions.kind,
        'reason', moderation_actions.reason,
        'ends_at', NULLIF(moderation_actions.ends_at, 'infinity'),
        'created_at', moderation_actions.created_at,
        'read_at', moderation_actions.read_at,
        'appeal', moderation_actions.appeal,
        'appealed_at', moderation_actions.appealed_at,
        'decision', moderation_actions.decision,
        'decision_reason', moderation_actions.decision_reason,
        'decided_at', moderation_actions.decided_at
    )::text AS item
FROM moderation_actions
WHERE moderation_actions.user_uuid = :viewer
  AND moderation_actions.kind <> 'dismiss'
  AND moderation_actions.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY moderation_actions.uuid
LIMIT :batch::bigint

-- name: notifications
-- The notifications that the member can see.
SELECT
    notifications.uuid::text AS position,
    json_build_object(
        'kind', notifications.kind,
        'actor', actor.handle,
        'activity_uuid', notifications.activity_uuid,
        'message_uuid', notifications.message_uuid,
        'created_at', notifications.created_at
    )::text AS item
FROM notifications
JOIN users AS actor ON actor.uuid = notifications.actor_uuid
WHERE notifications.user_uuid = :viewer
  AND NOT EXISTS (
      SELECT FROM hidden_authors
      WHERE hidden_authors.viewer_uuid = :viewer
        AND hidden_authors.author_uuid = notifications.actor_uuid
  )
  AND (
      notifications.kind = 'follow'
      OR (
          SELECT activities.expires_at
          FROM activities
          WHERE activities.uuid = notifications.activity_uuid
      ) > now()
      OR (
          SELECT messages.expires_at
          FROM messages
          WHERE messages.uuid = notifications.message_uuid
      ) > now()
  )
  AND notifications.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY notifications.uuid
LIMIT :batch::bigint

-- name: passkeys
-- The passkeys, without their keys.
SELECT
    passkeys.uuid::text AS position,
    json_build_object(
        'name', passkeys.name,
        'created_at', passkeys.created_at,
        'used_at', passkeys.used_at
    )::text AS item
FROM passkeys
WHERE passkeys.user_uuid = :viewer
  AND passkeys.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY passkeys.uuid
LIMIT :batch::bigint

-- name: pictures
-- The uploaded pictures: those of live cruds, and those that no crud shows yet.
SELECT
    pictures.uuid::text AS position,
    json_build_object(
        'uuid', pictures.uuid,
        'activity_uuid', pictures.activity_uuid,
        'width', pictures.width,
        'height', pictures.height,
        'created_at', pictures.created_at,
        'expires_at', COALESCE(activities.expires_at, pictures.expires_at)
    )::text AS item
FROM pictures
LEFT JOIN activities ON activities.uuid = pictures.activity_uuid
WHERE pictures.user_uuid = :viewer
  AND COALESCE(activities.expires_at, pictures.expires_at) > now()
  AND pictures.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY pictures.uuid
LIMIT :batch::bigint

-- name: profile
-- The profile and the settings, and the address of the account.
SELECT
    users.uuid::text AS position,
    json_build_object(
        'uuid', users.uuid,
        'handle', users.handle,
        'display_name', users.display_name,
        'bio', users.bio,
        'email', users.email,
        'sign_in_email', accounts.email,
        'issuer', users.issuer,
        'subject', users.subject,
        'has_avatar', users.avatar_digest IS NOT NULL,
        'created_at', users.created_at,
        'role', users.role,
        'message_policy', users.message_policy,
        'suspended_until', users.suspended_until,
        'limited_until', users.limited_until,
        'terms_version', users.terms_version,
        'terms_accepted_at', users.terms_accepted_at,
        'notifications_read_at', users.notifications_read_at,
        'mentions_read_at', NULLIF(users.mentions_read_at, '-infinity'),
        'followers_count', COALESCE(follow_counts.followers_count, 0),
        'following_count', COALESCE(follow_counts.following_count, 0)
    )::text AS item
FROM users
LEFT JOIN accounts ON accounts.user_uuid = users.uuid
LEFT JOIN follow_counts ON follow_counts.user_uuid = users.uuid
WHERE users.uuid = :viewer
  AND users.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY users.uuid
LIMIT :batch::bigint

-- name: reports
-- The reports that the member has made. Their words are sealed.
SELECT
    reports.uuid::text AS position,
    json_build_object(
        'uuid', reports.uuid,
        'kind', cases.kind,
        'subject_uuid', cases.subject_uuid,
        'category', reports.category,
        'created_at', reports.created_at,
        'sealed_words', encode(reports.sealed_words, 'base64')
    )::text AS item
FROM reports
JOIN cases ON cases.uuid = reports.case_uuid
WHERE reports.reporter_uuid = :viewer
  AND reports.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY reports.uuid
LIMIT :batch::bigint

-- name: reposts
-- The reposts of live cruds, with their authors unless one of both users blocks the other.
SELECT
    reposts.activity_uuid::text AS position,
    json_build_object(
        'activity_uuid', reposts.activity_uuid,
        'author', author.handle,
        'created_at', reposts.created_at
    )::text AS item
FROM reposts
JOIN activities ON activities.uuid = reposts.activity_uuid
{visible_author}
WHERE reposts.user_uuid = :viewer
  AND activities.expires_at > now()
  AND reposts.activity_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY reposts.activity_uuid
LIMIT :batch::bigint

-- name: second_factor
-- Whether there is a second factor, without its secret and its codes.
SELECT
    second_factors.user_uuid::text AS position,
    json_build_object(
        'confirmed_at', second_factors.confirmed_at,
        'recovery_codes_left', (
            SELECT count(*)
            FROM recovery_codes
            WHERE recovery_codes.user_uuid = second_factors.user_uuid
        )
    )::text AS item
FROM second_factors
WHERE second_factors.user_uuid = :viewer
  AND second_factors.user_uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY second_factors.user_uuid
LIMIT :batch::bigint

-- name: sessions
-- The open sessions, without tokens.
SELECT
    sessions.uuid::text AS position,
    json_build_object(
        'uuid', sessions.uuid,
        'device', sessions.device,
        'address', sessions.address,
        'method', sessions.method,
        'created_at', sessions.created_at,
        'used_at', sessions.used_at,
        'expires_at', sessions.expires_at
    )::text AS item
FROM sessions
WHERE sessions.user_uuid = :viewer
  AND sessions.method <> 'api_token'
  AND sessions.expires_at > now()
  AND sessions.uuid > COALESCE(:position::text::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY sessions.uuid
LIMIT :batch::bigint
