-- Inserts a reply to a live crud, its tags, its first link, and notifications for the crud's author
-- and for each user that the reply mentions. No row if the crud is not live, and unless the author's
-- session is open and all :pictures can be shown. A trigger limits the expiry to the parent's.
WITH author AS (
    {author}
),
parent AS (
    SELECT
        live_activities.uuid,
        live_activities.user_uuid,
        live_activities.handle,
        live_activities.expires_at
    FROM live_activities
    WHERE live_activities.uuid = :parent_uuid
      AND NOT EXISTS (
          SELECT FROM hidden_authors
          WHERE hidden_authors.viewer_uuid = (SELECT author.uuid FROM author)
            AND hidden_authors.author_uuid = live_activities.user_uuid
      )
),
chosen AS MATERIALIZED (
    {chosen_pictures}
),
created AS (
    INSERT INTO activities (user_uuid, message, expires_at, reply_to_activity_uuid, pictures)
    SELECT
        author.uuid,
        :message,
        parent.expires_at,
        parent.uuid,
        {shown_pictures}
    FROM author
    CROSS JOIN parent
    CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
    WHERE (SELECT count(*) FROM chosen) = cardinality(:pictures::uuid[])
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
notified AS (
    INSERT INTO notifications (user_uuid, actor_uuid, kind, activity_uuid)
    SELECT
        parent.user_uuid,
        created.user_uuid,
        'reply',
        created.uuid
    FROM created
    CROSS JOIN parent
    WHERE parent.user_uuid <> created.user_uuid
),
mentioned AS (
    {insert_mentions}
      AND users.uuid <> (SELECT parent.user_uuid FROM parent)
)
SELECT
    {created_crud_columns},
    parent.handle AS reply_to_handle
FROM created
CROSS JOIN author
CROSS JOIN parent
