-- A new person, unless the handle is taken, the person is there already, or their
-- account was deleted while this token was still good: then no row.
INSERT INTO users (uuid, issuer, subject, handle, display_name, email)
SELECT
    :uuid,
    :issuer,
    :subject,
    :handle,
    :display_name,
    :email
WHERE NOT EXISTS (
    SELECT FROM deleted_subjects
    WHERE deleted_subjects.issuer = :issuer
      AND deleted_subjects.subject = :subject
      AND deleted_subjects.forget_at > now()
)
ON CONFLICT DO NOTHING
RETURNING uuid, handle, issuer, subject
