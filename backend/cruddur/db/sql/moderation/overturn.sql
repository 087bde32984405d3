-- Ends the limit or suspension that an overturned decision has set, unless another decision has set a later
-- end.
WITH standing AS (
    SELECT
        max(others.ends_at) FILTER (WHERE others.kind = 'limit') AS limited_until,
        max(others.ends_at) FILTER (WHERE others.kind <> 'limit') AS suspended_until
    FROM moderation_actions AS others
    WHERE others.user_uuid = :user_uuid
      AND others.uuid <> :uuid
      AND others.ends_at > now()
      AND others.decision IS DISTINCT FROM 'overturned'
      AND others.created_at > COALESCE(
          (
              SELECT max(lifts.created_at)
              FROM moderation_actions AS lifts
              WHERE lifts.user_uuid = :user_uuid
                AND lifts.kind = 'lift'
          ),
          '-infinity'
      )
)
UPDATE users
SET
    limited_until = standing.limited_until,
    suspended_until = standing.suspended_until
FROM standing
WHERE users.uuid = :user_uuid
