-- The sealed copies of a case, the latest first.
SELECT
    evidence.uuid,
    evidence.sealed,
    evidence.created_at,
    evidence.expires_at
FROM evidence
WHERE evidence.case_uuid = :uuid
ORDER BY evidence.created_at DESC, evidence.uuid DESC
LIMIT 10
