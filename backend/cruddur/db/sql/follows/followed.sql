-- The users and tags that users follow.
SELECT
    users.uuid,
    ARRAY(
        SELECT follows.followee_uuid
        FROM follows
        WHERE follows.follower_uuid = users.uuid
    ) AS users,
    ARRAY(
        SELECT followed_tags.tag
        FROM followed_tags
        WHERE followed_tags.user_uuid = users.uuid
    ) AS tags
FROM users
WHERE users.uuid = ANY(:uuids::uuid[])
