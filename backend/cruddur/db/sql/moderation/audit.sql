-- Adds an entry to the audit log. Without an actor, it was the command line.
INSERT INTO audit_entries (actor_uuid, actor_handle, action, case_uuid, user_uuid, user_handle, why)
VALUES (
    :actor_uuid::uuid,
    (
        SELECT users.handle
        FROM users
        WHERE users.uuid = :actor_uuid
    ),
    :action,
    :case_uuid,
    :user_uuid::uuid,
    (
        SELECT users.handle
        FROM users
        WHERE users.uuid = :user_uuid
    ),
    :why
)
