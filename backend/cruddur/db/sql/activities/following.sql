-- What the viewer follows, the newest first: live top-level cruds of followed users, live cruds and
-- replies that followed users reposted, and live top-level cruds with followed tags. Each crud is listed
-- once: for its author, else for its first followed tag, else for the first of its reposts. No row
-- unless the viewer's session is open; one row of NULLs if there is nothing (docs/decisions/0020).
--
-- A viewer who follows many users finds a page among the newest cruds and reposts of everyone, so up to
-- :max_passed of these are passed. Otherwise, or if they do not fill the page, the cruds and reposts of
-- each followed user are read. Cruds with followed tags are read only as far back as a full page.
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
        passed.uuid,
        passed.listed_at,
        passed.reposter_uuid
    FROM (
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
                LIMIT (SELECT :max_passed::bigint)
            )
        ) AS either
        ORDER BY either.listed_at DESC, either.uuid DESC
        LIMIT (SELECT :max_passed::bigint)
    ) AS passed
    WHERE (
        SELECT true
        FROM follows
        WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
          AND follows.followee_uuid = passed.actor_uuid
    )
    AND (num_nulls(passed.reposter_uuid) = 1 OR {lists_repost})
    LIMIT (SELECT :limit::bigint)
),
few AS MATERIALIZED (
    SELECT count(*) < :limit::bigint AS are_newest
    FROM newest
),
by_user AS MATERIALIZED (
    SELECT
        passed.uuid,
        passed.listed_at,
        passed.reposter_uuid
    FROM (
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
              -- An expression, so that activities_home_idx, which holds every author's cruds, does not match.
              AND (activities.created_at + interval '0', activities.uuid) < (
                  COALESCE(:before_at, 'infinity'::timestamptz),
                  COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
              )
            UNION ALL
            SELECT
                reposts.activity_uuid AS uuid,
                reposts.created_at AS listed_at,
                reposts.user_uuid AS reposter_uuid
            FROM reposts
            WHERE reposts.user_uuid = followed.uuid
              AND (reposts.created_at, reposts.activity_uuid) < (
                  COALESCE(:before_at, 'infinity'::timestamptz),
                  COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
              )
            OFFSET 0
        ) AS either
        WHERE (SELECT few.are_newest FROM few)
        ORDER BY either.listed_at DESC, either.uuid DESC
    ) AS passed
    WHERE num_nulls(passed.reposter_uuid) = 1 OR {lists_repost}
    LIMIT (SELECT :limit::bigint)
),
own AS MATERIALIZED (
    SELECT uuid, listed_at, reposter_uuid
    FROM newest
    WHERE NOT (SELECT few.are_newest FROM few)
    UNION ALL
    SELECT uuid, listed_at, reposter_uuid
    FROM by_user
),
page_end AS MATERIALIZED (
    SELECT CASE WHEN count(*) >= :limit::bigint THEN min(own.listed_at) ELSE '-infinity' END AS listed_at
    FROM own
),
tagged AS MATERIALIZED (
    SELECT
        found.uuid,
        found.listed_at,
        min(followed_tags.tag) AS tag
    FROM followed_tags
    CROSS JOIN LATERAL (
        SELECT
            candidates.uuid,
            candidates.listed_at
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
        WHERE (
            SELECT
                activities.expires_at > now()
                AND activities.reply_to_activity_uuid IS NULL
                AND NOT EXISTS (
                    SELECT FROM follows
                    WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
                      AND follows.followee_uuid = activities.user_uuid
                )
                AND NOT {by_limited_author}
            FROM activities
            WHERE activities.uuid = candidates.uuid
        )
        LIMIT (SELECT :limit::bigint)
    ) AS found
    WHERE followed_tags.user_uuid = (SELECT viewer.uuid FROM viewer)
    GROUP BY found.uuid, found.listed_at
),
listed AS MATERIALIZED (
    SELECT
        found.uuid,
        found.listed_at,
        found.reposter_uuid,
        found.tag
    FROM (
        SELECT uuid, listed_at, reposter_uuid, NULL::text AS tag
        FROM own
        UNION ALL
        SELECT uuid, listed_at, NULL::uuid AS reposter_uuid, tag
        FROM tagged
    ) AS found
    ORDER BY found.listed_at DESC, found.uuid DESC
    LIMIT :limit
),
shown AS MATERIALIZED (
    SELECT listed.uuid FROM listed
),
people AS MATERIALIZED (
    {people_on_page}
    UNION ALL
    SELECT listed.reposter_uuid FROM listed
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
    JOIN live_activities
        ON live_activities.uuid = listed.uuid
        AND live_activities.uuid = ANY(ARRAY(SELECT listed.uuid FROM listed))
) ON true
LEFT JOIN users AS reposter
    ON reposter.uuid = listed.reposter_uuid
    AND reposter.uuid = ANY(ARRAY(SELECT listed.reposter_uuid FROM listed))
ORDER BY listed.listed_at DESC, listed.uuid DESC
