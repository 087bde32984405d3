-- name: find
-- The user with a handle or an e-mail address, in lower case, and whether they have signed in from
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

-- name: remember
-- Stores clients of a user, and deletes those that were seen longest ago.
WITH outdated AS (
    DELETE FROM familiar_clients
    WHERE familiar_clients.user_uuid = :user_uuid
      AND familiar_clients.client_hash IN (
          SELECT others.client_hash
          FROM familiar_clients AS others
          WHERE others.user_uuid = :user_uuid
            AND others.client_hash <> ALL(:hashes::bytea[])
          ORDER BY others.seen_at DESC
          OFFSET :max_kept
      )
)
INSERT INTO familiar_clients (user_uuid, client_hash)
SELECT
    :user_uuid,
    seen.client_hash
FROM unnest(:hashes::bytea[]) AS seen (client_hash)
ON CONFLICT (user_uuid, client_hash) DO UPDATE SET seen_at = now()
