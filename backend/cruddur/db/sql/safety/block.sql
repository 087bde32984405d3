-- Blocks a user, and ends the follows of both, with their notifications. No row unless the viewer's session is open. `uuid` is
-- NULL if no user has the handle.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
person AS MATERIALIZED (
    SELECT
        users.uuid,
        users.handle,
        users.display_name,
        users.avatar_url
    FROM users
    WHERE users.handle = lower(:handle)
),
blocked AS (
    INSERT INTO blocks (blocker_uuid, blocked_uuid)
    SELECT
        viewer.uuid,
        person.uuid
    FROM viewer
    CROSS JOIN person
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE person.uuid <> viewer.uuid
    ON CONFLICT DO NOTHING
),
unfollowed AS (
    DELETE FROM follows
    USING viewer
    CROSS JOIN person
    WHERE follows.follower_uuid IN (viewer.uuid, person.uuid)
      AND follows.followee_uuid IN (viewer.uuid, person.uuid)
    RETURNING follower_uuid, followee_uuid
),
retracted AS (
    DELETE FROM notifications
    USING unfollowed
    WHERE notifications.user_uuid = unfollowed.followee_uuid
      AND notifications.actor_uuid = unfollowed.follower_uuid
      AND notifications.kind = 'follow'
)
SELECT
    person.uuid,
    person.handle,
    person.display_name,
    person.avatar_url,
    person.uuid <> viewer.uuid AS is_blocked,
    EXISTS (
        SELECT FROM mutes
        WHERE mutes.muter_uuid = viewer.uuid
          AND mutes.muted_uuid = person.uuid
          AND mutes.ends_at > now()
    ) AS is_muted
FROM viewer
LEFT JOIN person ON true
