-- Inserts a crud, its tags, its first link, and a notification for each user it mentions and who is
-- not blocked. No row unless the author's session is open, all :pictures can be shown, and the instance
-- allows the :lifetime.
WITH author AS (
    {author}
),
chosen AS MATERIALIZED (
    {chosen_pictures}
),
created AS (
    INSERT INTO activities (user_uuid, message, expires_at, pictures)
    SELECT
        author.uuid,
        :message,
        now() + :lifetime,
        {shown_pictures}
    FROM author
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE (SELECT count(*) FROM chosen) = cardinality(:pictures::uuid[])
      AND :lifetime <= (
          SELECT replace(instance.max_ttl, '-', ' ')::interval
          FROM instance
      )
    RETURNING
        uuid, user_uuid, message, created_at, expires_at, reply_to_activity_uuid, pictures
),
attached AS (
    {attach_pictures}
),
tagged AS (
    {insert_tags}
),
linked AS (
    {insert_link}
),
mentioned AS (
    {insert_mentions}
)
SELECT
    {created_crud_columns},
    NULL AS reply_to_handle
FROM created
CROSS JOIN author
