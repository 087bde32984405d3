-- Limits an account until the end of a decision, or longer if it was limited for longer.
UPDATE users
SET limited_until = GREATEST(users.limited_until, moderation_actions.ends_at)
FROM moderation_actions
WHERE moderation_actions.uuid = :uuid
  AND users.uuid = moderation_actions.user_uuid
