-- A page of the cases that are not about the viewer, those that wait for a decision first, each part with
-- the latest first.
WITH page AS MATERIALIZED (
    SELECT
        cases.uuid,
        cases.kind,
        cases.subject_uuid,
        cases.user_uuid,
        cases.opened_at,
        cases.closed_at,
        cases.has_appeal,
        cases.is_open
    FROM cases
    WHERE (cases.is_open, cases.opened_at, cases.uuid) < (
        COALESCE(:before_open, true),
        COALESCE(:before_at, 'infinity'::timestamptz),
        COALESCE(:before_uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    )
      AND cases.user_uuid <> :viewer
    ORDER BY cases.is_open DESC, cases.opened_at DESC, cases.uuid DESC
    LIMIT :limit
)
SELECT
    page.uuid,
    page.kind,
    page.subject_uuid,
    page.opened_at,
    page.closed_at,
    page.has_appeal,
    page.is_open,
    page.user_uuid,
    users.handle,
    users.display_name,
    users.avatar_url,
    ARRAY(
        SELECT reports.category
        FROM reports
        WHERE reports.case_uuid = page.uuid
        ORDER BY reports.created_at, reports.uuid
        LIMIT :max_reports
    ) AS categories
FROM page
LEFT JOIN users ON users.uuid = page.user_uuid
ORDER BY page.is_open DESC, page.opened_at DESC, page.uuid DESC
