-- Records a decision, which closes the case. A limit or suspension lasts for :days, a ban forever.
WITH closed AS (
    UPDATE cases
    SET closed_at = COALESCE(closed_at, now())
    WHERE cases.uuid = :case_uuid
    RETURNING
        uuid,
        user_uuid
)
INSERT INTO moderation_actions (case_uuid, user_uuid, actor_uuid, kind, reason, ends_at)
SELECT
    closed.uuid,
    closed.user_uuid,
    :actor_uuid,
    :kind,
    :reason,
    CASE :kind
        WHEN 'ban' THEN 'infinity'
        WHEN 'limit' THEN now() + make_interval(days => :days)
        WHEN 'suspend' THEN now() + make_interval(days => :days)
    END
FROM closed
RETURNING uuid
