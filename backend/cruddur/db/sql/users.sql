-- name: accept_terms
-- The viewer accepts the present terms. No row if they have another version, or unless the session is open.
-- Accepting them twice keeps the first time.
UPDATE users
SET
    terms_version = instance.terms_version,
    terms_accepted_at = CASE
        WHEN users.terms_version = instance.terms_version THEN users.terms_accepted_at
        ELSE now()
    END
FROM instance
CROSS JOIN signed_in(:viewer, :session) AS viewer
WHERE users.uuid = viewer.uuid
  AND instance.terms_version = :terms_version
RETURNING users.uuid

-- name: accepted_terms
-- A new user has accepted terms when they signed up.
UPDATE users
SET
    terms_version = :terms_version,
    terms_accepted_at = :accepted_at
WHERE users.uuid = :user_uuid

-- name: any
SELECT EXISTS (SELECT FROM users)

-- name: by_email
-- The user of an issuer with this email address. MATERIALIZED keeps the planner from combining the
-- index of addresses with that of issuers, which lists most users.
WITH named AS MATERIALIZED (
    SELECT
        users.uuid,
        users.issuer
    FROM users
    WHERE lower(users.email) = lower(:email)
)
SELECT named.uuid
FROM named
WHERE named.issuer = :issuer

-- name: by_prefix
-- The users whose handle, or folded display name, starts with :prefix, those by handle first. In the
-- order of "C", they are the next ones from :prefix on: an index leads there, and only :limit of them
-- are read.
WITH prefix AS MATERIALIZED (
    SELECT
        lower(:prefix) AS handle,
        replace(search_text(:prefix), ' ', '') AS name
),
next_handles AS MATERIALIZED (
    SELECT
        users.uuid,
        users.handle
    FROM users
    WHERE users.handle COLLATE "C" >= (SELECT prefix.handle FROM prefix)
    ORDER BY users.handle COLLATE "C"
    LIMIT :limit
),
next_names AS MATERIALIZED (
    SELECT
        users.uuid,
        replace(search_text(users.display_name), ' ', '') AS name
    FROM users
    WHERE replace(search_text(users.display_name), ' ', '') COLLATE "C" >= (SELECT prefix.name FROM prefix)
    ORDER BY replace(search_text(users.display_name), ' ', '') COLLATE "C"
    LIMIT :limit
),
named AS (
    SELECT
        next_handles.uuid,
        1 AS place
    FROM next_handles
    CROSS JOIN prefix
    WHERE starts_with(next_handles.handle, prefix.handle)
    UNION ALL
    SELECT
        next_names.uuid,
        2 AS place
    FROM next_names
    CROSS JOIN prefix
    WHERE starts_with(next_names.name, prefix.name)
      AND prefix.name <> ''
),
found AS MATERIALIZED (
    SELECT
        named.uuid,
        min(named.place) AS place
    FROM named
    GROUP BY named.uuid
)
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM signed_in(:viewer, :session) AS viewer
LEFT JOIN (
    found
    JOIN users
        ON users.uuid = found.uuid
        AND users.uuid = ANY(ARRAY(SELECT found.uuid FROM found))
) ON NOT EXISTS (
    SELECT FROM blocked_pairs
    WHERE blocked_pairs.viewer_uuid = viewer.uuid
      AND blocked_pairs.other_uuid = users.uuid
)
ORDER BY found.place, users.handle COLLATE "C"
LIMIT :limit

-- name: create
-- Inserts a user. No row if the handle is taken, the user exists, or their account was deleted while
-- this token was valid.
INSERT INTO users (uuid, issuer, subject, handle, display_name, email)
SELECT
    :uuid,
    :issuer,
    :subject,
    :handle,
    :display_name,
    :email
WHERE NOT EXISTS (
    SELECT FROM deleted_subjects
    WHERE deleted_subjects.issuer = :issuer
      AND deleted_subjects.subject = :subject
      AND deleted_subjects.forget_at > now()
)
ON CONFLICT DO NOTHING
RETURNING uuid, handle, issuer, subject

-- name: delete
-- Deletes a user and, by foreign keys, everything that belongs to them. Sign-ups and the keys of
-- sign-ups refer to the e-mail address only. The subject is stored for as long as one of its tokens
-- can be valid, and a digest of the address of a suspended user for as long as the suspension.
WITH remembered AS (
    INSERT INTO deleted_subjects (issuer, subject, forget_at)
    SELECT
        users.issuer,
        users.subject,
        now() + interval '24 hours'
    FROM users
    WHERE users.uuid = :uuid
    ON CONFLICT (issuer, subject) DO UPDATE SET forget_at = EXCLUDED.forget_at
),
suspended AS (
    INSERT INTO suspended_addresses (email_digest, expires_at)
    SELECT
        sha256(convert_to(lower(users.email), 'UTF8')),
        users.suspended_until
    FROM users
    WHERE users.uuid = :uuid
      AND users.suspended_until > now()
      AND users.email IS NOT NULL
    ON CONFLICT (email_digest) DO UPDATE
        SET expires_at = GREATEST(suspended_addresses.expires_at, EXCLUDED.expires_at)
),
uninvited AS (
    DELETE FROM invited_addresses
    USING users
    WHERE users.uuid = :uuid
      AND invited_addresses.email = lower(users.email)
),
unreserved AS (
    DELETE FROM signups
    USING users
    WHERE users.uuid = :uuid
      AND signups.email IN (users.email, lower(users.email))
),
forgotten AS (
    DELETE FROM idempotency_keys
    USING users
    WHERE users.uuid = :uuid
      AND idempotency_keys.member IN (users.email, lower(users.email), users.uuid::text)
)
DELETE FROM users
WHERE users.uuid = :uuid

-- name: is_deleted
SELECT EXISTS (
    SELECT FROM deleted_subjects
    WHERE deleted_subjects.issuer = :issuer
      AND deleted_subjects.subject = :subject
      AND deleted_subjects.forget_at > now()
)

-- name: link
-- Links a user to the subject of another issuer. Deletes their local sign-in: the password, the
-- sessions and the address.
WITH forgotten_account AS (
    DELETE FROM accounts
    WHERE accounts.user_uuid = :uuid
),
forgotten_resets AS (
    DELETE FROM password_resets
    WHERE password_resets.user_uuid = :uuid
),
closed_sessions AS (
    DELETE FROM sessions
    WHERE sessions.user_uuid = :uuid
)
UPDATE users
SET
    issuer = :issuer,
    subject = :subject,
    email = NULL
WHERE users.uuid = :uuid

-- name: lock
-- Blocks other writers, but no readers, until the transaction ends.
LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE

-- name: member
SELECT
    viewer.uuid,
    viewer.handle,
    viewer.display_name,
    viewer.email,
    viewer.avatar_url,
    users.role,
    users.terms_version,
    users.terms_accepted_at,
    (
        SELECT count(*)
        FROM moderation_actions
        WHERE moderation_actions.user_uuid = viewer.uuid
          AND moderation_actions.kind <> 'dismiss'
          AND moderation_actions.read_at IS NULL
    ) AS unread_notices,
    CASE
        WHEN users.role = 'member' THEN 0
        ELSE (SELECT count(*) FROM cases WHERE cases.is_open)
    END AS open_cases
FROM signed_in(:viewer, :session) AS viewer
JOIN users ON users.uuid = viewer.uuid

-- name: search
-- The users whose handles and display names have words that begin with those of :term: first the one
-- with this handle, then those whose handle begins with it, then the ones with the most followers. At
-- least one row, of NULLs if there is no user. Only :max_ranked users are ranked.
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
query AS MATERIALIZED (
    SELECT
        lower(:handle) AS handle,
        (
            SELECT to_tsquery('simple', string_agg('''' || words.word || ''':*', ' & '))
            FROM regexp_split_to_table(search_text(:term), ' +') AS words (word)
            WHERE words.word <> ''
        ) AS words
),
found AS MATERIALIZED (
    SELECT
        users.uuid,
        users.handle
    FROM users
    WHERE to_tsvector('simple', search_text(users.display_name) || ' ' || replace(users.handle, '_', ' '))
        @@ (SELECT query.words FROM query)
    LIMIT (SELECT :max_ranked::bigint)
),
ranked AS MATERIALIZED (
    SELECT
        found.uuid,
        CASE
            WHEN found.handle = query.handle THEN 1
            WHEN starts_with(found.handle, query.handle) THEN 2
            ELSE 3
        END AS place,
        COALESCE(
            (
                SELECT follow_counts.followers_count
                FROM follow_counts
                WHERE follow_counts.user_uuid = found.uuid
            ),
            0
        ) AS followers_count
    FROM found
    CROSS JOIN query
    ORDER BY place, followers_count DESC, found.handle
    LIMIT :limit
)
SELECT
    viewer.uuid AS viewer,
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    EXISTS (
        SELECT FROM follows
        WHERE follows.follower_uuid = viewer.uuid
          AND follows.followee_uuid = users.uuid
    ) AS followed
FROM viewer
LEFT JOIN (
    ranked
    JOIN users
        ON users.uuid = ranked.uuid
        AND users.uuid = ANY(ARRAY(SELECT ranked.uuid FROM ranked))
) ON NOT EXISTS (
    SELECT FROM blocked_pairs
    WHERE blocked_pairs.viewer_uuid = viewer.uuid
      AND blocked_pairs.other_uuid = users.uuid
)
ORDER BY ranked.place, ranked.followers_count DESC, users.handle

-- name: short
-- The user with a handle, unless one of this user and the viewer blocks the other.
SELECT
    viewer.uuid AS viewer,
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url
FROM (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
) AS viewer
CROSS JOIN users
WHERE users.handle = lower(:handle)
  AND NOT EXISTS (
      SELECT FROM blocked_pairs
      WHERE blocked_pairs.viewer_uuid = viewer.uuid
        AND blocked_pairs.other_uuid = users.uuid
  )

-- name: suggested
-- The users that can be among the first :limit within :horizon from now; ties are in their final
-- order. These are the users with the most likes and reposts on live cruds, and the ones that move
-- up when cruds of the first ones expire (trends.sql explains the second bound of expires_at).
WITH liked AS MATERIALIZED (
    SELECT
        activities.user_uuid,
        activities.expires_at,
        1 + activities.likes_count + activities.reposts_count AS worth
    FROM activities
    WHERE activities.expires_at > now()
      AND activities.expires_at <= 'infinity'
      AND activities.reply_to_activity_uuid IS NULL
      AND NOT {by_limited_author}
      AND activities.user_uuid NOT IN (
          SELECT users.uuid
          FROM users
          WHERE users.suspended_until > now()
            AND users.suspended_until <= 'infinity'
      )
),
counted AS MATERIALIZED (
    SELECT
        liked.user_uuid,
        sum(liked.worth)::integer AS score,
        coalesce(sum(liked.worth) FILTER (WHERE liked.expires_at > now() + :horizon), 0)::integer AS lasting,
        array_agg(liked.expires_at) FILTER (WHERE liked.expires_at <= now() + :horizon) AS ends,
        array_agg(liked.worth) FILTER (WHERE liked.expires_at <= now() + :horizon) AS falls
    FROM liked
    GROUP BY liked.user_uuid
),
last AS (
    SELECT
        counted.user_uuid,
        counted.lasting
    FROM counted
    ORDER BY counted.lasting DESC, counted.user_uuid
    OFFSET :limit - 1
    LIMIT 1
)
SELECT
    users.uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    counted.score,
    counted.ends,
    counted.falls,
    now() AS read_at
FROM counted
JOIN users ON users.uuid = counted.user_uuid
LEFT JOIN last ON true
WHERE last.user_uuid IS NULL
   OR counted.score > last.lasting
   OR counted.score = last.lasting AND counted.user_uuid <= last.user_uuid
ORDER BY counted.user_uuid

-- name: suspended
-- A user who is suspended now.
SELECT
    {identity_columns}
FROM users
WHERE users.uuid = :uuid
  AND users.suspended_until > now()

-- name: update
UPDATE users
SET
    display_name = :display_name,
    bio = :bio
FROM signed_in(:viewer, :session) AS viewer
WHERE users.uuid = viewer.uuid
RETURNING
    users.uuid,
    users.subject AS cognito_user_uuid,
    users.handle,
    users.display_name,
    users.bio,
    users.avatar_url

-- name: viewer
-- The user of a token's claims.
SELECT
    {identity_columns}
FROM users
WHERE users.issuer = :issuer
  AND users.subject = :subject

-- name: viewer_by_handle
SELECT
    {identity_columns}
FROM users
WHERE users.handle = lower(:handle)
