-- The counts of a live crud. No row if its author is hidden from the user. They are read after the
-- statement that changes them, because triggers keep them and that statement cannot see what its
-- triggers write.
SELECT
    live_activities.uuid,
    live_activities.replies_count,
    live_activities.reposts_count,
    live_activities.likes_count,
    EXISTS (
        SELECT FROM likes
        WHERE likes.activity_uuid = live_activities.uuid AND likes.user_uuid = :user_uuid
    ) AS liked,
    EXISTS (
        SELECT FROM reposts
        WHERE reposts.activity_uuid = live_activities.uuid AND reposts.user_uuid = :user_uuid
    ) AS reposted
FROM live_activities
WHERE live_activities.uuid = :uuid
  AND NOT EXISTS (
      SELECT FROM hidden_authors
      WHERE hidden_authors.viewer_uuid = :user_uuid
        AND hidden_authors.author_uuid = live_activities.user_uuid
  )
