-- Follows a tag, unless the viewer follows :max_tags tags already. No row unless the viewer's session
-- is open.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
inserted AS (
    INSERT INTO followed_tags (user_uuid, tag)
    SELECT
        viewer.uuid,
        :tag
    FROM viewer
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE (
        SELECT count(*)
        FROM followed_tags
        WHERE followed_tags.user_uuid = viewer.uuid
    ) < :max_tags
    ON CONFLICT DO NOTHING
    RETURNING tag
)
SELECT
    EXISTS (SELECT FROM inserted)
    OR EXISTS (
        SELECT FROM followed_tags
        WHERE followed_tags.user_uuid = viewer.uuid
          AND followed_tags.tag = :tag
    ) AS followed
FROM viewer
