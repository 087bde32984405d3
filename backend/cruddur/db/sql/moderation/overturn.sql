-- Ends the suspension that an overturned decision has set, unless another decision has set a later end.
UPDATE users
SET suspended_until = (
    SELECT max(others.ends_at)
    FROM moderation_actions AS others
    WHERE others.user_uuid = users.uuid
      AND others.uuid <> :uuid
      AND others.ends_at > now()
      AND others.decision IS DISTINCT FROM 'overturned'
      AND others.created_at > COALESCE(
          (
              SELECT max(lifts.created_at)
              FROM moderation_actions AS lifts
              WHERE lifts.user_uuid = users.uuid
                AND lifts.kind = 'lift'
          ),
          '-infinity'
      )
)
WHERE users.uuid = :user_uuid
