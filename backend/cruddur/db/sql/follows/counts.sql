-- The counts of a user. They are read after the statement that changes them, because triggers keep
-- them and that statement cannot see what its triggers write.
SELECT
    users.uuid,
    COALESCE(follow_counts.followers_count, 0) AS followers_count,
    COALESCE(follow_counts.following_count, 0) AS following_count,
    EXISTS (
        SELECT FROM follows
        WHERE follows.follower_uuid = :user_uuid
          AND follows.followee_uuid = users.uuid
    ) AS followed
FROM users
LEFT JOIN follow_counts ON follow_counts.user_uuid = users.uuid
WHERE users.uuid = :uuid
