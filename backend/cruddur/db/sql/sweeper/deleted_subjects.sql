DELETE FROM deleted_subjects
WHERE forget_at BETWEEN '-infinity' AND now()
