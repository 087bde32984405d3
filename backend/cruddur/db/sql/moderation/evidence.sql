-- The sealed copies of a case before a position, the latest first. Their retention is over at
-- `expires_at`, unless the case waits for a decision, also if the sweeper has not deleted them yet.
SELECT
    evidence.uuid,
    evidence.sealed,
    evidence.created_at,
    evidence.expires_at
FROM evidence
JOIN cases ON cases.uuid = evidence.case_uuid
WHERE evidence.case_uuid = :uuid
  AND (cases.is_open OR evidence.expires_at > now())
  AND (evidence.created_at, evidence.uuid) < (
      COALESCE(:before_at, 'infinity'::timestamptz),
      COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
  )
ORDER BY evidence.created_at DESC, evidence.uuid DESC
LIMIT :limit
