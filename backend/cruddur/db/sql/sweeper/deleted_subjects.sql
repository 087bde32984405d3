DELETE FROM deleted_subjects
WHERE forget_at <= now()
