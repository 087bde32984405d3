-- The person of a handle or an e-mail address, in lower case, and whether they have signed in from
-- this device and from this address before.
SELECT
    named.uuid,
    EXISTS (
        SELECT FROM familiar_clients
        WHERE familiar_clients.user_uuid = named.uuid
          AND familiar_clients.client_hash = ANY(:device_hashes::bytea[])
    ) AS knows_device,
    EXISTS (
        SELECT FROM familiar_clients
        WHERE familiar_clients.user_uuid = named.uuid
          AND familiar_clients.client_hash = ANY(:address_hashes::bytea[])
    ) AS knows_address
FROM (
    SELECT users.uuid
    FROM users
    WHERE users.handle = :login
    UNION ALL
    SELECT users.uuid
    FROM users
    WHERE lower(users.email) = :login
) AS named
ORDER BY named.uuid
LIMIT 1
