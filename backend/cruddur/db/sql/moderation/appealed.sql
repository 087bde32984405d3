-- A decision with an appeal that waits, and the account that it is about. Both rows stay locked until the
-- transaction ends.
SELECT
    moderation_actions.uuid,
    moderation_actions.case_uuid,
    moderation_actions.user_uuid,
    moderation_actions.actor_uuid,
    moderation_actions.kind,
    moderation_actions.decision,
    users.role,
    users.handle
FROM moderation_actions
JOIN cases ON cases.uuid = moderation_actions.case_uuid
JOIN users ON users.uuid = moderation_actions.user_uuid
WHERE moderation_actions.uuid = :uuid
  AND moderation_actions.appeal IS NOT NULL
FOR NO KEY UPDATE OF moderation_actions, cases
