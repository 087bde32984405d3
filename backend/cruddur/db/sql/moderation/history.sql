-- What was decided about an account, the latest first.
SELECT
    moderation_actions.uuid,
    moderation_actions.case_uuid,
    actor.handle AS actor_handle,
    moderation_actions.kind,
    moderation_actions.reason,
    moderation_actions.created_at,
    NULLIF(moderation_actions.ends_at, 'infinity') AS ends_at,
    moderation_actions.appeal,
    moderation_actions.appealed_at,
    moderation_actions.decision,
    moderation_actions.decision_reason,
    moderation_actions.decided_at
FROM moderation_actions
LEFT JOIN users AS actor ON actor.uuid = moderation_actions.actor_uuid
WHERE moderation_actions.user_uuid = :user_uuid
ORDER BY moderation_actions.created_at DESC, moderation_actions.uuid DESC
LIMIT 100
