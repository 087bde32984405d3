-- What the viewer follows, the newest first: live top-level cruds of followed users, live cruds and
-- replies that followed users reposted, and live top-level cruds with followed tags. Each crud is listed
-- once: for its author, else for its first followed tag, else for the first of its reposts. No row
-- unless the viewer's session is open; one row of NULLs if there is nothing (docs/decisions/0020).
--
-- A viewer who follows many users finds most of a page among the newest cruds of everyone, so up to
-- :max_passed of these are passed. Otherwise, or if they do not fill the page, the cruds of each
-- followed user are read. Reposts and tags are read only as far back as the cruds of a full page.
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
        passed.created_at AS listed_at
    FROM (
        SELECT
            activities.uuid,
            activities.user_uuid,
            activities.created_at
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
    ) AS passed
    WHERE (
        SELECT true
        FROM follows
        WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
          AND follows.followee_uuid = passed.user_uuid
    )
    LIMIT (SELECT :limit::bigint)
),
by_author AS MATERIALIZED (
    SELECT
        live.uuid,
        live.created_at AS listed_at
    FROM followed
    CROSS JOIN LATERAL (
        SELECT
            activities.uuid,
            activities.created_at
        FROM activities
        WHERE activities.user_uuid = followed.uuid
          AND activities.reply_to_activity_uuid IS NULL
          AND activities.expires_at > now()
          -- An expression, so that activities_home_idx, which holds every author's cruds, does not match.
          AND (activities.created_at + interval '0', activities.uuid) < (
              COALESCE(:before_at, 'infinity'::timestamptz),
              COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
          )
        OFFSET 0
    ) AS live
    WHERE (SELECT count(*) < :limit::bigint FROM newest)
    ORDER BY live.created_at DESC, live.uuid DESC
    LIMIT (SELECT :limit::bigint)
),
own AS MATERIALIZED (
    SELECT uuid, listed_at
    FROM newest
    WHERE (SELECT count(*) = :limit::bigint FROM newest)
    UNION ALL
    SELECT uuid, listed_at
    FROM by_author
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
newest_reposts AS MATERIALIZED (
    SELECT
        passed.uuid,
        passed.reposter_uuid,
        passed.listed_at
    FROM (
        SELECT
            reposts.activity_uuid AS uuid,
            reposts.user_uuid AS reposter_uuid,
            reposts.created_at AS listed_at
        FROM reposts
        WHERE (SELECT crowd.is_large FROM crowd)
          AND reposts.created_at >= (SELECT page_end.listed_at FROM page_end)
          AND (reposts.created_at, reposts.activity_uuid) < (
              COALESCE(:before_at, 'infinity'::timestamptz),
              COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
          )
        ORDER BY reposts.created_at DESC, reposts.activity_uuid DESC
        LIMIT (SELECT :max_passed::bigint)
    ) AS passed
    WHERE (
        SELECT true
        FROM follows
        WHERE follows.follower_uuid = (SELECT viewer.uuid FROM viewer)
          AND follows.followee_uuid = passed.reposter_uuid
    )
    AND {lists_repost}
    LIMIT (SELECT :limit::bigint)
),
-- Whether the passed reposts fill the page, or reach its end.
passed_reposts AS MATERIALIZED (
    SELECT
        count(*) = :limit::bigint
        OR (SELECT crowd.is_large FROM crowd)
        AND (
            SELECT count(*)
            FROM (
                SELECT
                FROM reposts
                WHERE reposts.created_at >= (SELECT page_end.listed_at FROM page_end)
                  AND (reposts.created_at, reposts.activity_uuid) < (
                      COALESCE(:before_at, 'infinity'::timestamptz),
                      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
                  )
                LIMIT (SELECT :max_passed::bigint)
            ) AS counted
        ) < :max_passed::bigint AS is_enough
    FROM newest_reposts
),
reposts_by_user AS MATERIALIZED (
    SELECT
        passed.uuid,
        passed.reposter_uuid,
        passed.listed_at
    FROM (
        SELECT
            unsorted.uuid,
            followed.uuid AS reposter_uuid,
            unsorted.listed_at
        FROM followed
        CROSS JOIN LATERAL (
            SELECT
                reposts.activity_uuid AS uuid,
                reposts.created_at AS listed_at
            FROM reposts
            WHERE reposts.user_uuid = followed.uuid
              AND reposts.created_at >= (SELECT page_end.listed_at FROM page_end)
              AND (reposts.created_at, reposts.activity_uuid) < (
                  COALESCE(:before_at, 'infinity'::timestamptz),
                  COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
              )
            OFFSET 0
        ) AS unsorted
        WHERE NOT (SELECT passed_reposts.is_enough FROM passed_reposts)
        ORDER BY unsorted.listed_at DESC, unsorted.uuid DESC
    ) AS passed
    WHERE {lists_repost}
    LIMIT (SELECT :limit::bigint)
),
listed AS MATERIALIZED (
    SELECT
        found.uuid,
        found.listed_at,
        found.reposter_uuid,
        found.tag
    FROM (
        SELECT uuid, listed_at, NULL::uuid AS reposter_uuid, NULL::text AS tag
        FROM own
        UNION ALL
        SELECT uuid, listed_at, NULL::uuid AS reposter_uuid, tag
        FROM tagged
        UNION ALL
        SELECT uuid, listed_at, reposter_uuid, NULL::text AS tag
        FROM newest_reposts
        WHERE (SELECT passed_reposts.is_enough FROM passed_reposts)
        UNION ALL
        SELECT uuid, listed_at, reposter_uuid, NULL::text AS tag
        FROM reposts_by_user
    ) AS found
    ORDER BY found.listed_at DESC, found.uuid DESC
    LIMIT :limit
),
shown AS MATERIALIZED (
    SELECT listed.uuid FROM listed
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
    EXISTS (
        SELECT FROM hidden_authors
        WHERE hidden_authors.viewer_uuid = viewer.uuid
          AND hidden_authors.author_uuid = reposter.uuid
    ) AS is_reposter_hidden
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
