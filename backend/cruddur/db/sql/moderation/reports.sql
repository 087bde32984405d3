-- The first reports of a case, the oldest first. Their retention is that of evidence.
SELECT
    reports.uuid,
    users.handle,
    users.display_name,
    reports.category,
    reports.sealed_words,
    reports.created_at
FROM reports
JOIN cases ON cases.uuid = reports.case_uuid
JOIN users ON users.uuid = reports.reporter_uuid
WHERE reports.case_uuid = :uuid
  AND (cases.is_open OR reports.expires_at > now())
ORDER BY reports.created_at, reports.uuid
LIMIT :limit
