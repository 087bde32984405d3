DELETE FROM signups
WHERE signups.uuid = :uuid
RETURNING email, handle, display_name, password_hash
