-- name: appeal
-- Appeals against a decision about a member, once. The case waits for a decision again.
WITH appealed AS (
    UPDATE moderation_actions
    SET
        appeal = :words,
        appealed_at = now()
    WHERE moderation_actions.uuid = :uuid
      AND moderation_actions.user_uuid = :user_uuid
      AND moderation_actions.kind NOT IN ('dismiss', 'lift')
      AND moderation_actions.appeal IS NULL
    RETURNING case_uuid
)
UPDATE cases
SET has_appeal = true
FROM appealed
WHERE cases.uuid = appealed.case_uuid
RETURNING cases.uuid

-- name: list
-- The decisions about the viewer, the latest first. Reading the newest page marks them read, up to the
-- newest that is returned. No row unless the viewer's session is open; one row of NULLs if there is none.
WITH viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
page AS MATERIALIZED (
    SELECT
        moderation_actions.uuid,
        moderation_actions.kind,
        moderation_actions.reason,
        moderation_actions.created_at,
        NULLIF(moderation_actions.ends_at, 'infinity') AS ends_at,
        moderation_actions.read_at,
        moderation_actions.appeal,
        moderation_actions.decision,
        moderation_actions.decision_reason
    FROM moderation_actions
    WHERE moderation_actions.user_uuid = (SELECT viewer.uuid FROM viewer)
      AND moderation_actions.kind <> 'dismiss'
      AND (moderation_actions.created_at, moderation_actions.uuid) < (
          COALESCE(:before_at, 'infinity'::timestamptz),
          COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
      )
    ORDER BY moderation_actions.created_at DESC, moderation_actions.uuid DESC
    LIMIT :limit
),
marked AS (
    UPDATE moderation_actions
    SET read_at = now()
    FROM page
    WHERE moderation_actions.uuid = page.uuid
      AND page.read_at IS NULL
)
SELECT
    page.uuid,
    page.kind,
    page.reason,
    page.created_at,
    page.ends_at,
    page.read_at,
    page.appeal,
    page.decision,
    page.decision_reason
FROM viewer
LEFT JOIN page ON true
ORDER BY page.created_at DESC, page.uuid DESC

-- name: of_action
-- Whether a decision about a member exists that can be appealed, and whether it has been.
SELECT moderation_actions.appeal IS NOT NULL AS is_appealed
FROM moderation_actions
WHERE moderation_actions.uuid = :uuid
  AND moderation_actions.user_uuid = :user_uuid
  AND moderation_actions.kind NOT IN ('dismiss', 'lift')

-- name: suspension
-- The decision that suspends a user now: the one that has set the end of the suspension.
SELECT
    moderation_actions.uuid,
    moderation_actions.kind,
    moderation_actions.reason,
    moderation_actions.created_at,
    NULLIF(moderation_actions.ends_at, 'infinity') AS ends_at,
    moderation_actions.read_at,
    moderation_actions.appeal,
    moderation_actions.decision,
    moderation_actions.decision_reason
FROM moderation_actions
JOIN users ON users.uuid = moderation_actions.user_uuid
WHERE moderation_actions.user_uuid = :user_uuid
  AND moderation_actions.kind IN ('suspend', 'ban')
  AND moderation_actions.decision IS DISTINCT FROM 'overturned'
  AND moderation_actions.ends_at = users.suspended_until
  AND users.suspended_until > now()
ORDER BY moderation_actions.created_at DESC
LIMIT 1
