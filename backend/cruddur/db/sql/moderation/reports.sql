-- The reports of a case, the oldest first.
SELECT
    reports.uuid,
    users.handle,
    users.display_name,
    reports.category,
    reports.sealed_words,
    reports.created_at
FROM reports
JOIN users ON users.uuid = reports.reporter_uuid
WHERE reports.case_uuid = :uuid
ORDER BY reports.created_at, reports.uuid
LIMIT 100
