UPDATE users
SET role = :role
WHERE users.handle = lower(:handle)
RETURNING
    users.uuid,
    users.handle,
    old.role AS previous
