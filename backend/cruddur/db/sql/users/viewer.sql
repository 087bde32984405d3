-- The user of a token's claims.
SELECT
    users.uuid,
    users.handle,
    users.issuer,
    users.subject
FROM users
WHERE users.issuer = :issuer
  AND users.subject = :subject
