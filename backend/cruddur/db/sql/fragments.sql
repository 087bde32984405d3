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
live_activities.reply_to_activity_uuid,
live_activities.pictures,
CASE
    WHEN live_activities.reply_to_activity_uuid IS NOT NULL THEN (
        SELECT users.handle
        FROM activities
        JOIN users ON users.uuid = activities.user_uuid
        WHERE activities.uuid = live_activities.reply_to_activity_uuid
    )
END AS reply_to_handle,
(
    SELECT json_build_object(
        'url', activity_links.url,
        'site', previews.site,
        'title', previews.title,
        'description', previews.description,
        'picture_url', CASE
            WHEN previews.picture IS NOT NULL THEN '/api/previews/' || previews.uuid || '.jpg'
        END
    )
    FROM activity_links
    JOIN previews ON previews.uuid = activity_links.preview_uuid
    WHERE activity_links.activity_uuid = live_activities.uuid
      AND previews.title IS NOT NULL
) AS preview

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

-- name: people_on_page
-- The authors of the cruds of the CTE shown, and of what these reply to; also NULLs.
SELECT
    unnest(ARRAY[
        activities.user_uuid,
        CASE
            WHEN activities.reply_to_activity_uuid IS NOT NULL THEN (
                SELECT parents.user_uuid
                FROM activities AS parents
                WHERE parents.uuid = activities.reply_to_activity_uuid
            )
        END
    ]) AS uuid
FROM activities
WHERE activities.uuid = ANY(ARRAY(SELECT shown.uuid FROM shown))

-- name: hidden_on_page
-- Those of the CTE people that are hidden from the viewer. For a viewer who hides no one, the first
-- condition is false before anything is looked up. With the array, a few look-ups suffice, however many
-- users are hidden.
SELECT hidden_authors.author_uuid AS uuid
FROM hidden_authors
WHERE EXISTS (
    SELECT FROM hidden_authors AS anyone
    WHERE anyone.viewer_uuid = (SELECT viewer.uuid FROM viewer)
)
  AND hidden_authors.viewer_uuid = (SELECT viewer.uuid FROM viewer)
  AND hidden_authors.author_uuid = ANY(ARRAY(SELECT people.uuid FROM people))

-- name: limited_on_page
-- Those of the CTE people that are limited, unless it is the viewer or the viewer follows them. Without
-- limited users, nothing else is looked up. The second bound excludes no row: for a range the planner
-- assumes one row in 200, and uses the index.
SELECT users.uuid
FROM users
WHERE (SELECT max(anyone.limited_until) FROM users AS anyone) > now()
  AND users.limited_until > now()
  AND users.limited_until <= 'infinity'
  AND users.uuid = ANY(ARRAY(SELECT people.uuid FROM people))
  AND users.uuid IS DISTINCT FROM (SELECT viewer.uuid FROM viewer)
  AND (
      SELECT true
      FROM follows
      WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
        AND follows.followee_uuid = users.uuid
  ) IS NULL

-- name: by_limited_author
-- Whether the author of a row of activities is limited, as in limited_on_page.
(
    COALESCE((SELECT max(anyone.limited_until) FROM users AS anyone) > now(), false)
    AND activities.user_uuid IN (
        SELECT users.uuid
        FROM users
        WHERE users.limited_until > now()
          AND users.limited_until <= 'infinity'
    )
)

-- name: viewer_hides
-- Whether the author of a live crud, and the author of the crud that it replies to, are in the CTE
-- hidden.
live_activities.user_uuid IN (SELECT hidden.uuid FROM hidden) AS is_hidden,
live_activities.reply_to_activity_uuid IS NOT NULL AND (
    SELECT activities.user_uuid
    FROM activities
    WHERE activities.uuid = live_activities.reply_to_activity_uuid
) IN (SELECT hidden.uuid FROM hidden) AS is_parent_hidden

-- name: visible_actor
-- A condition on notifications: their actor is not hidden from the viewer. For a viewer who hides no
-- one, nothing is looked up.
NOT (
    (
        SELECT
            EXISTS (
                SELECT FROM hidden_authors AS anyone
                WHERE anyone.viewer_uuid = (SELECT viewer.uuid FROM viewer)
            )
    )
    AND EXISTS (
        SELECT FROM hidden_authors
        WHERE hidden_authors.viewer_uuid = (SELECT viewer.uuid FROM viewer)
          AND hidden_authors.author_uuid = notifications.actor_uuid
    )
)

-- name: created_crud_columns
-- A crud that the statement inserts, from the CTEs created and author; without `reply_to_handle`.
-- A preview is assigned later, also if there is one for its link already.
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
created.pictures,
NULL AS preview,
false AS liked,
false AS reposted

-- name: author
-- The author of a new crud; no row unless the session is open.
SELECT
    viewer.uuid,
    viewer.display_name,
    viewer.handle,
    viewer.avatar_url
FROM signed_in(:viewer, :session) AS viewer

-- name: insert_mentions
-- Notifies the users that the CTE created mentions, except its author.
INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)
SELECT
    users.uuid,
    created.user_uuid,
    'mention',
    created.uuid
FROM created
JOIN users ON users.handle = ANY(:mentions::text[])
WHERE users.uuid <> created.user_uuid
  AND NOT EXISTS (
      SELECT FROM blocked_pairs
      WHERE blocked_pairs.viewer_uuid = created.user_uuid
        AND blocked_pairs.other_uuid = users.uuid
  )

-- name: chosen_pictures
-- The pictures that a new crud shows, from the CTE author: those of :pictures that belong to the author
-- and that no crud shows yet. They are locked, so that no other crud takes them.
SELECT
    pictures.uuid,
    pictures.width,
    pictures.height,
    wanted.alt,
    wanted.place
FROM unnest(:pictures::uuid[], :alts::text[]) WITH ORDINALITY AS wanted (uuid, alt, place)
JOIN pictures ON pictures.uuid = wanted.uuid
WHERE pictures.user_uuid = (SELECT author.uuid FROM author)
  AND pictures.activity_uuid IS NULL
  AND pictures.expires_at > now()
FOR UPDATE OF pictures

-- name: shown_pictures
-- The CTE chosen, as a crud shows it.
(
    SELECT
        jsonb_agg(
            jsonb_build_object(
                'uuid', chosen.uuid,
                'alt', chosen.alt,
                'width', chosen.width,
                'height', chosen.height
            )
            ORDER BY chosen.place
        )
    FROM chosen
)

-- name: attach_pictures
-- Attaches the CTE chosen to the CTE created.
UPDATE pictures
SET
    activity_uuid = created.uuid,
    expires_at = NULL
FROM created
CROSS JOIN chosen
WHERE pictures.uuid = chosen.uuid

-- name: insert_tags
-- Inserts the :tags of the CTE created.
INSERT INTO activity_tags (activity_uuid, tag, created_at, expires_at)
SELECT
    created.uuid,
    tags.tag,
    created.created_at,
    created.expires_at
FROM created
CROSS JOIN unnest(:tags::text[]) AS tags (tag)

-- name: insert_link
-- Inserts the first :link of the CTE created, if it has one.
INSERT INTO activity_links (activity_uuid, url, traceparent)
SELECT
    created.uuid,
    :link,
    :traceparent
FROM created
WHERE :link::text IS NOT NULL

-- name: lists_repost
-- Whether a repost `passed` by a user that the viewer follows lists its crud, a live row of activities,
-- in their feed: it is another user's, is not listed for its author or for a tag, and no user that the
-- viewer follows, and has not muted, has reposted it before. Nothing is looked up for a viewer who
-- follows no tag, nor in the other reposts of a crud that has none.
activities.user_uuid <> passed.reposter_uuid
AND (
    activities.reply_to_activity_uuid IS NOT NULL
    OR (
        SELECT true
        FROM follows
        WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
          AND follows.followee_uuid = activities.user_uuid
    ) IS NULL
    AND NOT (
        (
            SELECT
                EXISTS (
                    SELECT FROM followed_tags
                    WHERE followed_tags.user_uuid = (SELECT viewer.uuid FROM viewer)
                )
        )
        AND EXISTS (
            SELECT FROM activity_tags
            WHERE activity_tags.activity_uuid = activities.uuid
              AND (
                  SELECT true
                  FROM followed_tags
                  WHERE followed_tags.user_uuid = (SELECT viewer.uuid FROM viewer)
                    AND followed_tags.tag = activity_tags.tag
              )
        )
    )
)
AND NOT (
    activities.reposts_count > 1
    AND EXISTS (
        SELECT
        FROM (
            SELECT
                reposts.user_uuid,
                reposts.created_at
            FROM reposts
            WHERE reposts.activity_uuid = activities.uuid
            OFFSET 0
        ) AS earlier
        WHERE (earlier.created_at, earlier.user_uuid) < (passed.listed_at, passed.reposter_uuid)
          AND earlier.user_uuid <> activities.user_uuid
          AND NOT EXISTS (
              SELECT FROM mutes
              WHERE mutes.muter_uuid = (SELECT viewer.uuid FROM viewer)
                AND mutes.muted_uuid = earlier.user_uuid
                AND mutes.ends_at > now()
          )
          AND (
              SELECT true
              FROM follows
              WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
                AND follows.followee_uuid = earlier.user_uuid
          )
    )
)

-- name: notification_columns
-- A notification with its actor, and its live crud or its live message.
notifications.uuid,
notifications.kind,
notifications.created_at,
notifications.activity_uuid,
actor.display_name,
actor.handle,
actor.avatar_url,
messages.message_group_uuid,
COALESCE(live_activities.message, messages.message) AS message,
COALESCE(live_activities.expires_at, messages.expires_at) AS expires_at,
COALESCE(live_activities.replies_count, 0) AS replies_count,
COALESCE(live_activities.reposts_count, 0) AS reposts_count,
COALESCE(live_activities.likes_count, 0) AS likes_count,
live_activities.reply_to_activity_uuid,
live_activities.pictures

-- name: page_changes
-- What has changed on pages since an earlier reading. That reading returned the snapshot :since and the
-- newest event :newest of the time :newest_at. The columns `kinds` to `xids` have one element for each
-- event; live.unseen_events explains the two branches. `next_expiry` is that of a crud or of the limit
-- of a user, seen from the time `read_at`. A server that was restored or promoted may reuse the numbers
-- of lost transactions, so its start is included. The snapshots of a standby lack the transactions in
-- progress. A replica that has replayed the log up to `wal` has all that is visible here: a transaction
-- becomes visible when its commit is flushed, or with synchronous_commit = off when it is inserted.
SELECT
    now() AS read_at,
    pg_current_snapshot() AS snapshot,
    pg_postmaster_start_time() AS started_at,
    CASE
        WHEN NOT pg_is_in_recovery() THEN (
            CASE
                WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn()
                ELSE pg_current_wal_flush_lsn()
            END - '0/0'
        )::bigint
    END AS wal,
    newest.xid AS newest,
    newest.created_at AS newest_at,
    LEAST(
        (
            SELECT min(activities.expires_at)
            FROM activities
            WHERE activities.expires_at > now()
        ),
        (
            SELECT min(users.limited_until)
            FROM users
            WHERE users.limited_until > now()
              AND users.limited_until < 'infinity'
        )
    ) AS next_expiry,
    -- Whether the log still has all events since then.
    NOT pg_is_in_recovery()
    AND EXISTS (
        SELECT FROM events
        WHERE events.xid = :newest
          AND events.created_at = :newest_at
    ) AS is_complete,
    unseen.kinds,
    unseen.subjects,
    unseen.users,
    unseen.parents,
    unseen.xids
FROM (
    SELECT
        array_agg(relevant.kind) AS kinds,
        array_agg(relevant.subject_uuid) AS subjects,
        array_agg(relevant.user_uuid) AS users,
        array_agg(relevant.parent_uuid) AS parents,
        array_agg(relevant.xid::text::bigint) AS xids
    FROM (
        (
            SELECT events.*
            FROM events
            WHERE events.xid >= pg_snapshot_xmax(:since)
              -- Excludes no row: for a range the planner assumes one row in 200, and uses the index.
              AND events.xid < pg_snapshot_xmax(pg_current_snapshot())
              AND pg_visible_in_snapshot(events.xid, pg_current_snapshot())
              AND events.kind IN ('crud', 'counts', 'expiry', 'follow', 'gone', 'page', 'preview')
            LIMIT :most_changes
        )
        UNION ALL
        (
            SELECT events.*
            FROM events
            WHERE events.xid = ANY(ARRAY(SELECT pg_snapshot_xip(:since)))
              AND pg_visible_in_snapshot(events.xid, pg_current_snapshot())
              AND events.kind IN ('crud', 'counts', 'expiry', 'follow', 'gone', 'page', 'preview')
            LIMIT :most_changes
        )
    ) AS relevant
) AS unseen
LEFT JOIN LATERAL (
    SELECT
        events.xid,
        events.created_at
    FROM events
    ORDER BY events.xid DESC
    LIMIT 1
) AS newest ON true

-- name: notified_viewer
-- The viewer of an open session, and up to when their notifications are read. What is read in the list
-- of all notifications is also read in the list of mentions.
SELECT
    users.uuid,
    users.notifications_read_at,
    GREATEST(users.notifications_read_at, users.mentions_read_at) AS mentions_read_at
FROM signed_in(:viewer, :session) AS member
JOIN users ON users.uuid = member.uuid

-- name: is_request
-- Whether a conversation, of `conversations AS joined`, is a request.
(
    NOT joined.has_accepted AND NOT EXISTS (
        SELECT FROM follows
        WHERE follows.follower_uuid = joined.user_uuid
          AND follows.followee_uuid = joined.other_uuid
    )
)

-- name: is_visible
-- Whether neither member of a conversation, of `conversations AS joined`, blocks the other.
NOT EXISTS (
    SELECT FROM blocked_pairs
    WHERE blocked_pairs.viewer_uuid = joined.user_uuid
      AND blocked_pairs.other_uuid = joined.other_uuid
)

-- name: visible_person
-- The user with :handle, unless one of this user and the viewer blocks the other.
SELECT users.uuid
FROM users
WHERE users.handle = lower(:handle)
  AND NOT EXISTS (
      SELECT FROM blocked_pairs
      WHERE blocked_pairs.viewer_uuid = (SELECT viewer.uuid FROM viewer)
        AND blocked_pairs.other_uuid = users.uuid
  )

-- name: identity_columns
-- Who a user is to the provider of the account.
users.uuid,
users.handle,
users.issuer,
users.subject

-- name: named_person
-- The user with :handle, also if they are hidden from the viewer.
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM users
WHERE users.handle = lower(:handle)

-- name: blocks_person
-- Whether the viewer blocks the CTE person.
EXISTS (
    SELECT FROM blocks
    WHERE blocks.blocker_uuid = viewer.uuid
      AND blocks.blocked_uuid = person.uuid
) AS is_blocked

-- name: mutes_person
-- Whether the viewer mutes the CTE person.
EXISTS (
    SELECT FROM mutes
    WHERE mutes.muter_uuid = viewer.uuid
      AND mutes.muted_uuid = person.uuid
      AND mutes.ends_at > now()
) AS is_muted

-- name: listed_follows
-- The users of the CTE page, whose follow began at its `created_at`, the latest first. One row with
-- NULLs for the user if there is none, and no row without the CTE person.
SELECT
    viewer.uuid AS viewer,
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    page.created_at AS followed_at,
    EXISTS (
        SELECT FROM follows
        WHERE follows.follower_uuid = viewer.uuid
          AND follows.followee_uuid = users.uuid
    ) AS followed
FROM viewer
CROSS JOIN person
LEFT JOIN (
    page
    JOIN users
        ON users.uuid = page.uuid
        AND users.uuid = ANY(ARRAY(SELECT page.uuid FROM page))
) ON true
ORDER BY page.created_at DESC, page.uuid DESC

-- name: evidence_of_cruds
-- Cruds and replies as evidence: each with its author, their picture, and the nearest three cruds that it
-- replies to, the oldest first.
SELECT
    activities.uuid,
    activities.message,
    activities.created_at,
    activities.expires_at,
    activities.pictures,
    users.uuid AS user_uuid,
    users.handle,
    users.display_name,
    users.bio,
    avatars.jpeg AS avatar,
    (
        WITH RECURSIVE ancestors AS (
            SELECT
                activities.reply_to_activity_uuid AS uuid,
                1 AS distance
            UNION ALL
            SELECT
                parent.reply_to_activity_uuid AS uuid,
                ancestors.distance + 1 AS distance
            FROM ancestors
            JOIN activities AS parent ON parent.uuid = ancestors.uuid
            WHERE ancestors.distance < 3
        )
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'uuid', live_activities.uuid,
                    'handle', live_activities.handle,
                    'display_name', live_activities.display_name,
                    'message', live_activities.message,
                    'created_at', live_activities.created_at
                )
                ORDER BY ancestors.distance DESC
            )
        FROM ancestors
        JOIN live_activities ON live_activities.uuid = ancestors.uuid
    ) AS context
FROM activities
JOIN users ON users.uuid = activities.user_uuid
LEFT JOIN avatars
    ON avatars.user_uuid = users.uuid
    AND users.avatar_digest IS NOT NULL

-- name: locked_conversation
-- The conversation :message_group_uuid, locked, with the viewer and the other member of it. No row if the
-- viewer is not a member, if one of the members blocks the other, or unless the viewer's session is open.
SELECT
    message_groups.uuid,
    message_groups.lifetime,
    viewer.uuid AS user_uuid,
    CASE message_groups.low_user_uuid
        WHEN viewer.uuid THEN message_groups.high_user_uuid
        ELSE message_groups.low_user_uuid
    END AS other_uuid,
    CASE message_groups.low_user_uuid
        WHEN viewer.uuid THEN message_groups.high_has_accepted
        ELSE message_groups.low_has_accepted
    END AS has_accepted
FROM signed_in(:viewer, :session) AS viewer
JOIN message_groups ON viewer.uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
WHERE message_groups.uuid = :message_group_uuid
  AND NOT EXISTS (
      SELECT FROM blocks
      WHERE blocks.blocker_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
        AND blocks.blocked_uuid IN (message_groups.low_user_uuid, message_groups.high_user_uuid)
  )
FOR NO KEY UPDATE OF message_groups

-- name: recipient
-- The other member of the CTE locked: whether the conversation is theirs, not a request, and whether
-- they accept messages from the viewer.
SELECT
    users.uuid,
    locked.has_accepted OR is_follower.value AS has_accepted,
    locked.has_accepted
        OR users.message_policy = 'everyone'
        OR (users.message_policy = 'following' AND is_follower.value) AS accepts
FROM locked
JOIN users ON users.uuid = locked.other_uuid
CROSS JOIN LATERAL (
    SELECT
        EXISTS (
            SELECT FROM follows
            WHERE follows.follower_uuid = locked.other_uuid
              AND follows.followee_uuid = locked.user_uuid
        ) AS value
) AS is_follower

-- name: visible_author
-- The author of a row of activities; NULL if one of the author and :viewer blocks the other.
LEFT JOIN users AS author
    ON author.uuid = activities.user_uuid
    AND NOT EXISTS (
        SELECT FROM blocked_pairs
        WHERE blocked_pairs.viewer_uuid = :viewer
          AND blocked_pairs.other_uuid = activities.user_uuid
    )
