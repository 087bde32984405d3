-- Adds a report to the undecided case of its subject, or to a new one, with the evidence unless the case
-- has the same already. No row if the viewer's session is not open. The row of the case is locked, so
-- reports of one subject follow each other, and so do a report and a decision.
WITH retention AS MATERIALIZED (
    SELECT now() + make_interval(days => instance.evidence_days) AS ends_at
    FROM instance
),
viewer AS MATERIALIZED (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
opened AS (
    INSERT INTO cases (kind, subject_uuid, user_uuid)
    SELECT
        :kind,
        :uuid,
        :user_uuid
    FROM viewer
    ON CONFLICT (kind, subject_uuid) WHERE closed_at IS NULL
        DO UPDATE SET kind = EXCLUDED.kind
    RETURNING uuid
),
sealed AS (
    INSERT INTO evidence (case_uuid, digest, sealed, expires_at)
    SELECT
        opened.uuid,
        :digest,
        :sealed,
        retention.ends_at
    FROM opened
    CROSS JOIN retention
    ON CONFLICT (case_uuid, digest) DO UPDATE SET expires_at = EXCLUDED.expires_at
)
INSERT INTO reports (case_uuid, reporter_uuid, category, sealed_words, expires_at)
SELECT
    opened.uuid,
    viewer.uuid,
    :category,
    :sealed_words,
    retention.ends_at
FROM opened
CROSS JOIN viewer
CROSS JOIN retention
ON CONFLICT (case_uuid, reporter_uuid) DO UPDATE SET category = reports.category
RETURNING uuid
