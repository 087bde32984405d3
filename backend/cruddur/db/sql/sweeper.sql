-- name: announcements
DELETE FROM announcements
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: claim_rebuild
-- For a day, after which another process tries again if this one dies.
UPDATE index_rebuilds
SET due_at = now() + interval '1 day'
WHERE index_name = 'activities_search_idx'
  AND due_at <= now()

-- name: deleted_activities
DELETE FROM deleted_activities
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: deleted_subjects
DELETE FROM deleted_subjects
WHERE forget_at BETWEEN '-infinity' AND now()

-- name: drop_half_built
-- What an interrupted rebuild has left.
DROP INDEX CONCURRENTLY IF EXISTS activities_search_idx_ccnew

-- name: drop_half_replaced
DROP INDEX CONCURRENTLY IF EXISTS activities_search_idx_ccold

-- name: email_changes
DELETE FROM email_changes
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: events
-- What was visible to the latest mark of at least 15 minutes ago. A client that was disconnected for
-- longer gets a reset. The time of an event does not decide, because a transaction can commit long
-- after it has recorded an event.
DELETE FROM events
USING (
    SELECT mark.snapshot
    FROM events AS mark
    WHERE mark.kind = 'mark'
      AND mark.created_at BETWEEN '-infinity' AND now() - interval '15 minutes'
    ORDER BY mark.created_at DESC
    LIMIT 1
) AS latest
WHERE events.xid < pg_snapshot_xmax(latest.snapshot)
  AND pg_visible_in_snapshot(events.xid, latest.snapshot)

-- name: evidence
-- Evidence is kept for longer while its case waits for a decision. A case about a deleted account ends
-- with its evidence.
WITH deleted AS (
    DELETE FROM evidence
    USING cases
    WHERE evidence.expires_at BETWEEN '-infinity' AND now()
      AND cases.uuid = evidence.case_uuid
      AND NOT cases.is_open
    RETURNING
        evidence.uuid,
        evidence.case_uuid
)
DELETE FROM cases
WHERE cases.uuid = ANY(ARRAY(SELECT deleted.case_uuid FROM deleted))
  AND NOT EXISTS (
      SELECT FROM users
      WHERE users.uuid = cases.user_uuid
  )
  AND NOT EXISTS (
      SELECT FROM evidence
      WHERE evidence.case_uuid = cases.uuid
        AND evidence.uuid NOT IN (SELECT deleted.uuid FROM deleted)
  )

-- name: expired_activities
-- Kept for longer than any event.
DELETE FROM expired_activities
WHERE expired_at BETWEEN '-infinity' AND now() - interval '30 minutes'

-- name: expired_messages
DELETE FROM expired_messages
WHERE expired_at BETWEEN '-infinity' AND now() - interval '30 minutes'

-- name: familiar_clients
DELETE FROM familiar_clients
WHERE seen_at <= now() - interval '180 days'

-- name: idempotency_keys
DELETE FROM idempotency_keys
WHERE created_at BETWEEN '-infinity' AND now() - interval '24 hours'

-- name: invitations
DELETE FROM invitations
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: invited_addresses
DELETE FROM invited_addresses
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: mark
-- Gives every open stream a position that does not leave the log soon.
SELECT record_event('mark')
WHERE NOT EXISTS (
    SELECT FROM events
    WHERE events.kind = 'mark'
      AND events.created_at > now() - interval '5 minutes'
)

-- name: mutes
DELETE FROM mutes
WHERE ends_at BETWEEN '-infinity' AND now()

-- name: passkey_challenges
DELETE FROM passkey_challenges
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: password_resets
DELETE FROM password_resets
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: rates
DELETE FROM rates
WHERE full_at <= now()

-- name: rebuild
-- A GIN index keeps an entry for each word that was ever used.
REINDEX INDEX CONCURRENTLY activities_search_idx

-- name: rebuilt
UPDATE index_rebuilds
SET due_at = now() + interval '7 days'
WHERE index_name = 'activities_search_idx'

-- name: refresh_tokens
-- A refresh token that was exchanged so long ago that no client holds a copy.
DELETE FROM refresh_tokens
WHERE used_at BETWEEN '-infinity' AND now() - interval '7 days'

-- name: released_previews
-- Previews that lost a crud and have no other one.
WITH released AS (
    DELETE FROM released_previews
    RETURNING preview_uuid
)
DELETE FROM previews
USING released
WHERE previews.uuid = released.preview_uuid
  AND NOT EXISTS (
      SELECT FROM activity_links
      WHERE activity_links.preview_uuid = previews.uuid
  )

-- name: reports
DELETE FROM reports
USING cases
WHERE reports.expires_at BETWEEN '-infinity' AND now()
  AND cases.uuid = reports.case_uuid
  AND NOT cases.is_open

-- name: sessions
DELETE FROM sessions
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: signups
DELETE FROM signups
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: stream_tickets
DELETE FROM stream_tickets
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: suspended_addresses
DELETE FROM suspended_addresses
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: throttles
DELETE FROM throttles
WHERE resets_at BETWEEN '-infinity' AND now()

-- name: try_lock
-- Held until the transaction ends, so that a pooler cannot leak it: one process sweeps at a time.
SELECT
    pg_try_advisory_xact_lock(:lock);

-- name: used_uploads
DELETE FROM used_uploads
WHERE expires_at BETWEEN '-infinity' AND now()

-- name: unused_pictures
-- Pictures that no crud shows. The others are deleted with their crud.
DELETE FROM pictures
WHERE pictures.expires_at BETWEEN '-infinity' AND now()

-- name: vacuum
-- Removes the text of deleted rows from the pages of the tables, and updates the row counts (no
-- column has statistics), which makes every connection replan its prepared statements: a plan
-- from when a table was empty would otherwise stay in use. INDEX_CLEANUP AUTO reads the indexes
-- only when 2 % of the pages have deleted rows. Truncation is left to autovacuum, because it
-- locks out readers.
VACUUM (ANALYZE, SKIP_LOCKED, PARALLEL 0, TRUNCATE off, INDEX_CLEANUP auto)
    activities,
    activity_links,
    announcements,
    api_tokens,
    audit_entries,
    avatars,
    blocks,
    cases,
    deleted_activities,
    deleted_subjects,
    events,
    evidence,
    expired_activities,
    expired_messages,
    familiar_clients,
    follow_counts,
    follows,
    idempotency_answers,
    index_rebuilds,
    instance,
    invitations,
    likes,
    message_groups,
    messages,
    moderation_actions,
    mutes,
    notifications,
    passkey_challenges,
    passkeys,
    password_resets,
    picture_files,
    pictures,
    rates,
    recovery_codes,
    refresh_tokens,
    released_previews,
    removed_pictures,
    reports,
    reposts,
    second_factors,
    sessions,
    signing_keys,
    signup_attempts,
    stream_tickets,
    suspended_addresses,
    used_uploads

-- name: vacuum_keys
-- The indexes of these tables contain text in their keys, so they are cleaned every time.
VACUUM (ANALYZE, SKIP_LOCKED, PARALLEL 0, TRUNCATE off, INDEX_CLEANUP on)
    accounts,
    activity_tags,
    email_changes,
    followed_tags,
    idempotency_keys,
    invited_addresses,
    previews,
    signups,
    throttles,
    users
