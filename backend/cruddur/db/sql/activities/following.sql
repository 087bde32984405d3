-- What the viewer follows, the newest first: live top-level cruds of followed users, live cruds and
-- replies that followed users reposted, and live top-level cruds with followed tags. Each crud is listed
-- once: for its author, else for its first followed tag, else for the first of its reposts. No row
-- unless the viewer's session is open; one row of NULLs if there is nothing (docs/decisions/0020).
--
-- A viewer who follows many users finds a page among the newest cruds and reposts of everyone: up to
-- :max_passed of these are passed, together with all that have the place of the last one. If they do not
-- fill the page, it continues with the older cruds and reposts of each followed user. PostgreSQL reads
-- the second part of a UNION ALL only if the first one does not reach the LIMIT. Cruds with followed tags
-- are read only as far back as a full page.
--
-- LATERAL with OFFSET 0 is a look-up by key, whatever the planner expects.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
followed AS MATERIALIZED (
    SELECT follows.followee_uuid AS uuid
    FROM follows
    WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
),
crowd AS MATERIALIZED (
    SELECT
        EXISTS (
            SELECT FROM follow_counts
            WHERE follow_counts.user_uuid = (SELECT viewer.uuid FROM viewer)
              AND follow_counts.following_count > :few
        ) AS is_large
),
newest AS MATERIALIZED (
    SELECT
        either.uuid,
        either.listed_at,
        either.actor_uuid,
        either.reposter_uuid
    FROM (
        (
            SELECT
                activities.uuid,
                activities.created_at AS listed_at,
                activities.user_uuid AS actor_uuid,
                NULL::uuid AS reposter_uuid
            FROM activities
            WHERE (SELECT crowd.is_large FROM crowd)
              AND activities.reply_to_activity_uuid IS NULL
              AND activities.expires_at > now()
              AND (activities.created_at, activities.uuid) < (
                  COALESCE(:before_at, 'infinity'::timestamptz),
                  COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
              )
            ORDER BY activities.created_at DESC, activities.uuid DESC
            LIMIT (SELECT :max_passed::bigint)
        )
        UNION ALL
        (
            SELECT
                reposts.activity_uuid AS uuid,
                reposts.created_at AS listed_at,
                reposts.user_uuid AS actor_uuid,
                reposts.user_uuid AS reposter_uuid
            FROM reposts
            WHERE (SELECT crowd.is_large FROM crowd)
              AND (reposts.created_at, reposts.activity_uuid) < (
                  COALESCE(:before_at, 'infinity'::timestamptz),
                  COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
              )
            ORDER BY reposts.created_at DESC, reposts.activity_uuid DESC
            FETCH FIRST (SELECT :max_passed::bigint) ROWS WITH TIES
        )
    ) AS either
    ORDER BY either.listed_at DESC, either.uuid DESC
    FETCH FIRST (SELECT :max_passed::bigint) ROWS WITH TIES
),
oldest AS MATERIALIZED (
    SELECT
        newest.listed_at,
        newest.uuid
    FROM newest
    ORDER BY newest.listed_at, newest.uuid
    LIMIT 1
),
own AS MATERIALIZED (
    SELECT
        passed.uuid,
        passed.listed_at,
        passed.reposter_uuid,
        crud.user_uuid,
        crud.reply_to_activity_uuid
    FROM (
        (
            SELECT
                newest.uuid,
                newest.listed_at,
                newest.reposter_uuid
            FROM newest
            WHERE (
                SELECT true
                FROM follows
                WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
                  AND follows.followee_uuid = newest.actor_uuid
            )
        )
        UNION ALL
        (
            SELECT
                either.uuid,
                either.listed_at,
                either.reposter_uuid
            FROM followed
            CROSS JOIN LATERAL (
                SELECT
                    activities.uuid,
                    activities.created_at AS listed_at,
                    NULL::uuid AS reposter_uuid
                FROM activities
                WHERE activities.user_uuid = followed.uuid
                  AND activities.reply_to_activity_uuid IS NULL
                  AND activities.expires_at > now()
                UNION ALL
                SELECT
                    reposts.activity_uuid AS uuid,
                    reposts.created_at AS listed_at,
                    reposts.user_uuid AS reposter_uuid
                FROM reposts
                WHERE reposts.user_uuid = followed.uuid
                OFFSET 0
            ) AS either
            WHERE (either.listed_at, either.uuid) < (
                COALESCE((SELECT oldest.listed_at FROM oldest), :before_at, 'infinity'::timestamptz),
                COALESCE(
                    (SELECT oldest.uuid FROM oldest),
                    :before_uuid,
                    'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid
                )
            )
            ORDER BY either.listed_at DESC, either.uuid DESC
        )
    ) AS passed
    CROSS JOIN LATERAL (
        SELECT
            activities.user_uuid,
            activities.reply_to_activity_uuid
        FROM activities
        WHERE activities.uuid = passed.uuid
          AND activities.expires_at > now()
          AND (num_nulls(passed.reposter_uuid) = 1 OR {lists_repost})
        OFFSET 0
    ) AS crud
    LIMIT (SELECT :limit::bigint)
),
page_end AS MATERIALIZED (
    SELECT CASE WHEN count(*) >= :limit::bigint THEN min(own.listed_at) ELSE '-infinity' END AS listed_at
    FROM own
),
tagged AS MATERIALIZED (
    SELECT
        found.uuid,
        found.listed_at,
        found.user_uuid,
        min(followed_tags.tag) AS tag
    FROM followed_tags
    CROSS JOIN LATERAL (
        SELECT
            candidates.uuid,
            candidates.listed_at,
            crud.user_uuid
        FROM (
            SELECT
                activity_tags.activity_uuid AS uuid,
                activity_tags.created_at AS listed_at
            FROM activity_tags
            WHERE activity_tags.tag = followed_tags.tag
              AND activity_tags.expires_at > now()
              AND activity_tags.created_at >= (SELECT page_end.listed_at FROM page_end)
              AND (activity_tags.created_at, activity_tags.activity_uuid) < (
                  COALESCE(:before_at, 'infinity'::timestamptz),
                  COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
              )
            ORDER BY activity_tags.created_at DESC, activity_tags.activity_uuid DESC
            OFFSET 0
        ) AS candidates
        CROSS JOIN LATERAL (
            SELECT activities.user_uuid
            FROM activities
            WHERE activities.uuid = candidates.uuid
              AND activities.expires_at > now()
              AND activities.reply_to_activity_uuid IS NULL
              AND (
                  SELECT true
                  FROM follows
                  WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
                    AND follows.followee_uuid = activities.user_uuid
              ) IS NULL
              AND NOT {by_limited_author}
            OFFSET 0
        ) AS crud
        LIMIT (SELECT :limit::bigint)
    ) AS found
    WHERE followed_tags.user_uuid = (SELECT viewer.uuid FROM viewer)
    GROUP BY found.uuid, found.listed_at, found.user_uuid
),
listed AS MATERIALIZED (
    SELECT found.*
    FROM (
        SELECT
            own.uuid,
            own.listed_at,
            own.reposter_uuid,
            own.user_uuid,
            own.reply_to_activity_uuid,
            NULL AS tag
        FROM own
        UNION ALL
        SELECT
            tagged.uuid,
            tagged.listed_at,
            NULL AS reposter_uuid,
            tagged.user_uuid,
            NULL AS reply_to_activity_uuid,
            tagged.tag
        FROM tagged
    ) AS found
    ORDER BY found.listed_at DESC, found.uuid DESC
    LIMIT :limit
),
people AS MATERIALIZED (
    SELECT
        unnest(ARRAY[
            listed.user_uuid,
            listed.reposter_uuid,
            CASE
                WHEN listed.reply_to_activity_uuid IS NOT NULL THEN (
                    SELECT parents.user_uuid
                    FROM activities AS parents
                    WHERE parents.uuid = listed.reply_to_activity_uuid
                )
            END
        ]) AS uuid
    FROM listed
),
hidden AS MATERIALIZED (
    {hidden_on_page}
)
SELECT
    viewer.uuid AS viewer,
    {crud_columns},
    {viewer_reactions},
    {viewer_hides},
    listed.listed_at,
    listed.tag AS followed_tag,
    reposter.handle AS reposted_by,
    reposter.display_name AS reposted_by_name,
    COALESCE(listed.reposter_uuid IN (SELECT hidden.uuid FROM hidden), false) AS is_reposter_hidden
FROM viewer
LEFT JOIN (
    listed
    CROSS JOIN LATERAL (
        SELECT live_activities.*
        FROM live_activities
        WHERE live_activities.uuid = listed.uuid
        OFFSET 0
    ) AS live_activities
) ON true
LEFT JOIN LATERAL (
    SELECT
        users.handle,
        users.display_name
    FROM users
    WHERE users.uuid = listed.reposter_uuid
    OFFSET 0
) AS reposter ON true
ORDER BY listed.listed_at DESC, listed.uuid DESC
