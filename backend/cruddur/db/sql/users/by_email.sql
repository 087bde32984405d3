SELECT users.uuid
FROM users
WHERE users.issuer = :issuer
  AND lower(users.email) = lower(:email)
