-- Live cruds that hold the words, carry a tag or are by a person, the best match first.
-- Of the words' hits only the newest thousand are ranked, so that a common word is no burden.
WITH query AS (
    SELECT
        websearch_to_tsquery('english', :words) || websearch_to_tsquery('simple', :words) AS wanted,
        websearch_to_tsquery('english', :unwanted)
            || websearch_to_tsquery('simple', :unwanted) AS unwanted
),
newest AS (
    SELECT
        activities.uuid,
        activities.search
    FROM activities
    CROSS JOIN query
    WHERE activities.search @@ query.wanted
      AND NOT activities.search @@ query.unwanted
      AND activities.expires_at > now()
    ORDER BY activities.uuid DESC
    LIMIT 1000
),
hits AS (
    SELECT
        newest.uuid,
        (ts_rank_cd(newest.search, query.wanted) * 1000)::bigint + 1 AS rank
    FROM newest
    CROSS JOIN query
    UNION ALL
    SELECT
        activity_tags.activity_uuid AS uuid,
        100000 AS rank
    FROM activity_tags
    WHERE activity_tags.tag = ANY(:tags)
    UNION ALL
    SELECT
        activities.uuid,
        10000 AS rank
    FROM users
    JOIN activities ON activities.user_uuid = users.uuid
    WHERE users.handle = ANY(:handles)
      AND activities.expires_at > now()
),
ranked AS (
    SELECT
        hits.uuid,
        sum(hits.rank)::bigint AS rank
    FROM hits
    GROUP BY hits.uuid
)
SELECT
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
    EXISTS (
        SELECT FROM likes
        WHERE likes.activity_uuid = live_activities.uuid AND likes.user_uuid = :viewer
    ) AS liked,
    EXISTS (
        SELECT FROM reposts
        WHERE reposts.activity_uuid = live_activities.uuid AND reposts.user_uuid = :viewer
    ) AS reposted,
    ranked.rank
FROM ranked
JOIN live_activities ON live_activities.uuid = ranked.uuid
CROSS JOIN query
WHERE NOT live_activities.search @@ query.unwanted
  AND (ranked.rank, ranked.uuid) < (
      COALESCE(:before_rank, 9223372036854775807),
      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  )
ORDER BY ranked.rank DESC, ranked.uuid DESC
LIMIT :limit
