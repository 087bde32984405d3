-- The user of an issuer with this e-mail address. MATERIALIZED keeps the planner from combining
-- the index of addresses with that of issuers, which lists most users.
WITH named AS MATERIALIZED (
    SELECT
        users.uuid,
        users.issuer
    FROM users
    WHERE lower(users.email) = lower(:email)
)
SELECT named.uuid
FROM named
WHERE named.issuer = :issuer
