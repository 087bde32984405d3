INSERT INTO idempotency_answers (key_uuid, activity_uuid, message_uuid, answer)
VALUES (:key_uuid, :activity_uuid, :message_uuid, :answer)
