-- The viewer's report of a subject that counts as the same as a new one, and how many reports the viewer
-- has made in the last day. A profile can change, so it can be reported again after the decision. No
-- row unless the viewer's session is open.
SELECT
    (
        SELECT reports.uuid
        FROM reports
        JOIN cases ON cases.uuid = reports.case_uuid
        WHERE reports.reporter_uuid = viewer.uuid
          AND cases.kind = :kind
          AND cases.subject_uuid = :uuid
          AND (cases.kind <> 'profile' OR cases.closed_at IS NULL)
        LIMIT 1
    ) AS uuid,
    (
        SELECT count(*)
        FROM reports
        WHERE reports.reporter_uuid = viewer.uuid
          AND reports.created_at > now() - interval '1 day'
    ) AS reports_count
FROM signed_in(:viewer, :session) AS viewer
