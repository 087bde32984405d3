-- The viewer's notifications without messages, in groups of one kind about one live crud, or of the
-- follows of one day, the group with the newest notification first. No row unless the viewer's session is open; one row of NULLs
-- if there is no notification.
-- The newest page marks the notifications of its feed read, up to the newest that is returned and not
-- up to now, so that one that commits meanwhile stays unread. `is_unread` is the state before.
-- The page is cut first, and each crud is looked up separately (notifications/unread.sql explains
-- why).
WITH RECURSIVE viewer AS MATERIALIZED (
    {notified_viewer}
),
-- Each reply and each mention is a crud of its own, and so a group.
texts AS (
    SELECT
        notifications.uuid,
        notifications.kind,
        notifications.activity_uuid,
        notifications.created_at
    FROM notifications
    WHERE notifications.user_uuid = (SELECT viewer.uuid FROM viewer)
      AND notifications.kind IN ('reply', 'mention')
      AND {visible_actor}
      AND (
          SELECT activities.expires_at
          FROM activities
          WHERE activities.uuid = notifications.activity_uuid
      ) > now()
      AND (notifications.created_at, notifications.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY notifications.created_at DESC, notifications.uuid DESC
    LIMIT (SELECT :limit::bigint)
),
-- The latest like and the latest repost of each crud of the viewer: a look-up for each crud, however
-- many likes it has.
reactions AS (
    SELECT
        latest.uuid,
        reaction.kind,
        activities.uuid AS activity_uuid,
        latest.created_at
    FROM activities
    CROSS JOIN (VALUES ('like'), ('repost')) AS reaction (kind)
    CROSS JOIN LATERAL (
        SELECT
            notifications.uuid,
            notifications.created_at
        FROM notifications
        WHERE notifications.activity_uuid = activities.uuid
          AND notifications.user_uuid = activities.user_uuid
          AND notifications.kind = reaction.kind
          AND {visible_actor}
        ORDER BY notifications.created_at DESC, notifications.uuid DESC
        LIMIT 1
    ) AS latest
    WHERE activities.user_uuid = (SELECT viewer.uuid FROM viewer)
      AND activities.expires_at > now()
      AND NOT :only_mentions
      AND (latest.created_at, latest.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
),
-- The latest follow of each day, from the day of the position on: a look-up for each day, however many
-- followers there are.
followed_days AS (
    SELECT
        latest.uuid,
        latest.created_at,
        1 AS place
    FROM (
        SELECT
            notifications.uuid,
            notifications.created_at
        FROM notifications
        WHERE notifications.user_uuid = (SELECT viewer.uuid FROM viewer)
          AND notifications.kind = 'follow'
          AND {visible_actor}
          AND NOT :only_mentions
          AND notifications.created_at < COALESCE(
              date_trunc('day', :before_at::timestamptz, 'UTC') + interval '1 day',
              'infinity'::timestamptz
          )
        ORDER BY notifications.created_at DESC, notifications.uuid DESC
        LIMIT 1
    ) AS latest
    UNION ALL
    SELECT
        latest.uuid,
        latest.created_at,
        followed_days.place + 1 AS place
    FROM followed_days
    CROSS JOIN LATERAL (
        SELECT
            notifications.uuid,
            notifications.created_at
        FROM notifications
        WHERE notifications.user_uuid = (SELECT viewer.uuid FROM viewer)
          AND notifications.kind = 'follow'
          AND {visible_actor}
          AND notifications.created_at < date_trunc('day', followed_days.created_at, 'UTC')
        ORDER BY notifications.created_at DESC, notifications.uuid DESC
        LIMIT 1
    ) AS latest
    WHERE followed_days.place <= :limit::bigint
),
follows AS (
    SELECT
        followed_days.uuid,
        'follow' AS kind,
        NULL::uuid AS activity_uuid,
        followed_days.created_at
    FROM followed_days
    WHERE (followed_days.created_at, followed_days.uuid) < (
        COALESCE(:before_at, 'infinity'::timestamptz),
        COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    )
),
page AS MATERIALIZED (
    SELECT * FROM texts
    UNION ALL
    SELECT * FROM reactions
    UNION ALL
    SELECT * FROM follows
    ORDER BY created_at DESC, uuid DESC
    LIMIT (SELECT :limit::bigint)
),
newest AS MATERIALIZED (
    SELECT max(page.created_at) AS created_at
    FROM page
    WHERE :before_at::timestamptz IS NULL
),
marked AS (
    UPDATE users
    SET
        notifications_read_at = CASE
            WHEN :only_mentions THEN users.notifications_read_at
            ELSE newest.created_at
        END,
        mentions_read_at = CASE
            WHEN :only_mentions THEN newest.created_at
            ELSE users.mentions_read_at
        END
    FROM viewer
    CROSS JOIN newest
    WHERE users.uuid = viewer.uuid
      AND newest.created_at > CASE
          WHEN :only_mentions THEN GREATEST(users.notifications_read_at, users.mentions_read_at)
          ELSE users.notifications_read_at
      END
),
shown AS MATERIALIZED (
    SELECT page.activity_uuid AS uuid FROM page
),
people AS MATERIALIZED (
    {people_on_page}
),
hidden AS MATERIALIZED (
    {hidden_on_page}
)
SELECT
    {crud_columns},
    {viewer_reactions},
    {viewer_hides},
    page.uuid AS latest_uuid,
    page.kind,
    page.created_at AS latest_at,
    page.created_at > CASE
        WHEN page.kind IN ('reply', 'mention') THEN viewer.mentions_read_at
        ELSE viewer.notifications_read_at
    END AS is_unread,
    CASE
        WHEN page.kind = 'follow' THEN (
            SELECT count(*)
            FROM notifications
            WHERE notifications.user_uuid = viewer.uuid
              AND notifications.kind = 'follow'
              AND notifications.created_at >= date_trunc('day', page.created_at, 'UTC')
              AND notifications.created_at <= page.created_at
              AND {visible_actor}
        )
        ELSE (
            SELECT count(*)
            FROM notifications
            WHERE notifications.activity_uuid = page.activity_uuid
              AND notifications.user_uuid = viewer.uuid
              AND notifications.kind = page.kind
              AND {visible_actor}
        )
    END AS actors_count,
    (
        SELECT json_agg(
            json_build_object(
                'uuid', actor.uuid,
                'handle', actor.handle,
                'display_name', actor.display_name,
                'avatar_url', actor.avatar_url
            )
            ORDER BY latest.created_at DESC, latest.uuid DESC
        )
        FROM (
            (
                SELECT
                    notifications.uuid,
                    notifications.actor_uuid,
                    notifications.created_at
                FROM notifications
                WHERE notifications.activity_uuid = page.activity_uuid
                  AND notifications.user_uuid = viewer.uuid
                  AND notifications.kind = page.kind
                  AND {visible_actor}
                ORDER BY notifications.created_at DESC, notifications.uuid DESC
                LIMIT (SELECT :max_actors::bigint)
            )
            UNION ALL
            (
                SELECT
                    notifications.uuid,
                    notifications.actor_uuid,
                    notifications.created_at
                FROM notifications
                WHERE page.kind = 'follow'
                  AND notifications.user_uuid = viewer.uuid
                  AND notifications.kind = 'follow'
                  AND notifications.created_at >= date_trunc('day', page.created_at, 'UTC')
                  AND notifications.created_at <= page.created_at
                  AND {visible_actor}
                ORDER BY notifications.created_at DESC, notifications.uuid DESC
                LIMIT (SELECT :max_actors::bigint)
            )
        ) AS latest
        JOIN users AS actor ON actor.uuid = latest.actor_uuid
    ) AS actors
FROM viewer
LEFT JOIN page ON true
LEFT JOIN live_activities
    ON live_activities.uuid = page.activity_uuid
    AND live_activities.uuid = ANY(ARRAY(SELECT page.activity_uuid FROM page))
ORDER BY page.created_at DESC, page.uuid DESC
