-- A user's profile with their live cruds and the live cruds of others that they reposted, ordered by
-- the time of the crud or the repost. No row if no user has the handle, or if one of this user and the
-- viewer blocks the other; one row with NULLs for the crud if there is none.
-- Each branch is cut to the page first, so that neither sorts all, and each reposted crud is looked
-- up separately (notifications/unread.sql explains why).
WITH viewer AS MATERIALIZED (
    SELECT (SELECT member.uuid FROM signed_in(:viewer, :session) AS member) AS uuid
),
person AS MATERIALIZED (
    SELECT
        users.uuid,
        users.subject,
        users.handle,
        users.display_name,
        users.bio,
        users.avatar_url,
        (
            SELECT count(*)
            FROM activities
            WHERE activities.user_uuid = users.uuid
              AND activities.reply_to_activity_uuid IS NULL
              AND activities.expires_at > now()
        )::integer AS cruds_count,
        COALESCE(follow_counts.followers_count, 0) AS followers_count,
        COALESCE(follow_counts.following_count, 0) AS following_count,
        EXISTS (
            SELECT FROM follows
            WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
              AND follows.followee_uuid = users.uuid
        ) AS followed
    FROM users
    LEFT JOIN follow_counts ON follow_counts.user_uuid = users.uuid
    WHERE users.handle = lower(:handle)
      AND NOT EXISTS (
          SELECT FROM blocked_pairs
          WHERE blocked_pairs.viewer_uuid = (SELECT viewer.uuid FROM viewer)
            AND blocked_pairs.other_uuid = users.uuid
      )
),
own AS MATERIALIZED (
    SELECT
        activities.uuid,
        activities.created_at AS listed_at
    FROM activities
    WHERE activities.user_uuid = (SELECT person.uuid FROM person)
      -- Not a reply. `IS NULL` would match activities_home_idx, which holds every author's cruds.
      AND num_nulls(activities.reply_to_activity_uuid) <> 0
      AND activities.expires_at > now()
      AND (activities.created_at, activities.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY activities.created_at DESC, activities.uuid DESC
    LIMIT (SELECT :limit::bigint)
),
reposted AS MATERIALIZED (
    SELECT
        reposts.activity_uuid AS uuid,
        reposts.created_at AS listed_at
    FROM reposts
    WHERE reposts.user_uuid = (SELECT person.uuid FROM person)
      AND (
          SELECT
              activities.user_uuid <> (SELECT person.uuid FROM person)
              AND activities.expires_at > now()
          FROM activities
          WHERE activities.uuid = reposts.activity_uuid
      )
      AND (reposts.created_at, reposts.activity_uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY reposts.created_at DESC, reposts.activity_uuid DESC
    LIMIT (SELECT :limit::bigint)
),
listed AS MATERIALIZED (
    SELECT uuid, listed_at, false AS is_repost FROM own
    UNION ALL
    SELECT uuid, listed_at, true AS is_repost FROM reposted
),
shown AS MATERIALIZED (
    SELECT listed.uuid FROM listed
),
people AS MATERIALIZED (
    {people_on_page}
),
hidden AS MATERIALIZED (
    {hidden_on_page}
),
feed AS MATERIALIZED (
    SELECT
        {crud_columns},
        {viewer_reactions},
        {viewer_hides},
        listed.listed_at,
        listed.is_repost
    FROM listed
    JOIN live_activities ON live_activities.uuid = listed.uuid
    WHERE live_activities.uuid = ANY(ARRAY(SELECT listed.uuid FROM listed))
    ORDER BY listed.listed_at DESC, listed.uuid DESC
    LIMIT :limit
)
SELECT
    viewer.uuid AS viewer,
    person.uuid AS person_uuid,
    person.subject AS person_subject,
    person.handle AS person_handle,
    person.display_name AS person_display_name,
    person.bio AS person_bio,
    person.avatar_url AS person_avatar_url,
    person.cruds_count AS person_cruds_count,
    person.followers_count AS person_followers_count,
    person.following_count AS person_following_count,
    person.followed AS person_followed,
    EXISTS (
        SELECT FROM hidden_authors
        WHERE hidden_authors.viewer_uuid = viewer.uuid
          AND hidden_authors.author_uuid = person.uuid
    ) AS person_is_muted,
    feed.uuid,
    feed.display_name,
    feed.handle,
    feed.avatar_url,
    feed.message,
    feed.created_at,
    feed.expires_at,
    feed.replies_count,
    feed.reposts_count,
    feed.likes_count,
    feed.reply_to_activity_uuid,
    feed.pictures,
    feed.reply_to_handle,
    feed.preview,
    feed.liked,
    feed.reposted,
    feed.is_hidden,
    feed.is_parent_hidden,
    feed.listed_at,
    feed.is_repost
FROM viewer
CROSS JOIN person
LEFT JOIN feed ON true
ORDER BY feed.listed_at DESC, feed.uuid DESC
