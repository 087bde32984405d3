-- No row when the address has an account already.
INSERT INTO accounts (user_uuid, email, password_hash)
VALUES (:user_uuid, :email, :password_hash)
ON CONFLICT (email) DO NOTHING
RETURNING user_uuid
