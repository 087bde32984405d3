SELECT EXISTS (
    SELECT FROM deleted_subjects
    WHERE deleted_subjects.issuer = :issuer
      AND deleted_subjects.subject = :subject
      AND deleted_subjects.forget_at > now()
)
