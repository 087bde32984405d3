-- Suspends an account until the end of a decision, or longer if it was suspended for longer, and ends its
-- sessions. Triggers end its streams.
WITH ended AS (
    DELETE FROM sessions
    USING moderation_actions
    WHERE moderation_actions.uuid = :uuid
      AND sessions.user_uuid = moderation_actions.user_uuid
)
UPDATE users
SET suspended_until = GREATEST(users.suspended_until, moderation_actions.ends_at)
FROM moderation_actions
CROSS JOIN set_config('cruddur.traceparent', :traceparent, true)
WHERE moderation_actions.uuid = :uuid
  AND users.uuid = moderation_actions.user_uuid
