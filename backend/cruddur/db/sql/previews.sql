-- name: assign
-- Gives new links their previews, which it creates if they are missing. Of links with the same
-- address, the oldest one's request is the cause. The conflict locks a preview that exists, so that
-- it is not deleted meanwhile. The planner cannot see the value of LIMIT (activities/home.sql explains
-- why).
WITH new_links AS MATERIALIZED (
    SELECT
        activity_links.activity_uuid,
        split_part(activity_links.url, '#', 1) AS url,
        activity_links.traceparent
    FROM activity_links
    WHERE activity_links.preview_uuid IS NULL
      AND (
          SELECT activities.expires_at
          FROM activities
          WHERE activities.uuid = activity_links.activity_uuid
      ) > now()
    ORDER BY activity_links.activity_uuid
    LIMIT (SELECT :limit::bigint)
    FOR UPDATE SKIP LOCKED
),
wanted AS (
    INSERT INTO previews (url, traceparent)
    SELECT DISTINCT ON (new_links.url)
        new_links.url,
        new_links.traceparent
    FROM new_links
    ORDER BY new_links.url, new_links.activity_uuid
    ON CONFLICT (url) DO UPDATE SET attempts = previews.attempts
    RETURNING uuid, url
)
UPDATE activity_links
SET preview_uuid = wanted.uuid
FROM new_links
JOIN wanted ON wanted.url = new_links.url
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE activity_links.activity_uuid = new_links.activity_uuid
  AND activity_links.activity_uuid = ANY(ARRAY(SELECT new_links.activity_uuid FROM new_links))

-- name: claim
-- The pages to fetch now. Another process gets them only if this one dies. The last attempt is the
-- last one also if the process dies.
WITH claimed AS MATERIALIZED (
    SELECT due.uuid
    FROM previews AS due
    WHERE due.fetch_at <= now()
    ORDER BY due.fetch_at
    LIMIT (SELECT :limit::bigint)
    FOR UPDATE SKIP LOCKED
)
UPDATE previews
SET
    attempts = previews.attempts + 1,
    fetch_at = CASE WHEN previews.attempts + 1 < :max_attempts::integer THEN now() + :lease END
WHERE previews.uuid = ANY(ARRAY(SELECT claimed.uuid FROM claimed))
RETURNING previews.uuid, previews.url, previews.attempts, previews.traceparent

-- name: picture
-- The picture of a preview that a live crud has, and for how many seconds that crud lives.
SELECT
    previews.picture,
    EXTRACT(EPOCH FROM (latest.expires_at - now()))::integer AS seconds_left
FROM previews
CROSS JOIN LATERAL (
    SELECT activities.expires_at
    FROM activity_links
    JOIN activities ON activities.uuid = activity_links.activity_uuid
    WHERE activity_links.preview_uuid = previews.uuid
      AND activities.expires_at > now()
    ORDER BY activity_links.activity_uuid DESC
    LIMIT 1
) AS latest
WHERE previews.uuid = :uuid
  AND previews.picture IS NOT NULL

-- name: postpone
-- Without a pause, the page is not fetched again.
UPDATE previews
SET fetch_at = now() + :pause::interval
WHERE previews.uuid = :uuid

-- name: save
UPDATE previews
SET
    fetch_at = NULL,
    title = :title,
    description = :description,
    site = :site,
    picture = :picture
FROM set_config('cruddur.traceparent', :traceparent, true)
WHERE previews.uuid = :uuid
