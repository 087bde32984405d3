-- Live cruds that hold the words, carry a tag or are by a person, the best match first.
WITH query AS (
    SELECT websearch_to_tsquery('english', :words) || websearch_to_tsquery('simple', :words) AS words
),
hits AS (
    SELECT
        activities.uuid,
        (ts_rank_cd(activities.search, query.words) * 1000)::bigint + 1 AS rank
    FROM activities
    CROSS JOIN query
    WHERE activities.search @@ query.words
      AND activities.expires_at > now()
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
WHERE (ranked.rank, ranked.uuid) < (
      COALESCE(:before_rank, 9223372036854775807),
      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  )
ORDER BY ranked.rank DESC, ranked.uuid DESC
LIMIT :limit
