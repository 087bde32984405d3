-- Decides an appeal. The account has not seen the decision yet.
WITH decided AS (
    UPDATE moderation_actions
    SET
        decision = :decision,
        decision_reason = :reason,
        decided_at = now(),
        read_at = NULL
    WHERE moderation_actions.uuid = :uuid
    RETURNING case_uuid
)
UPDATE cases
SET has_appeal = EXISTS (
    SELECT FROM moderation_actions AS others
    WHERE others.case_uuid = cases.uuid
      AND others.uuid <> :uuid
      AND others.appeal IS NOT NULL
      AND others.decision IS NULL
)
FROM decided
WHERE cases.uuid = decided.case_uuid
