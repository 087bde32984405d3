-- No row unless the viewer's session is open.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
deleted AS (
    DELETE FROM followed_tags
    USING viewer
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE followed_tags.user_uuid = viewer.uuid
      AND followed_tags.tag = :tag
)
SELECT viewer.uuid
FROM viewer
