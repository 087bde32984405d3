-- Remembers clients of a person, and forgets those that were seen longest ago.
WITH outdated AS (
    DELETE FROM familiar_clients
    WHERE familiar_clients.user_uuid = :user_uuid
      AND familiar_clients.client_hash IN (
          SELECT others.client_hash
          FROM familiar_clients AS others
          WHERE others.user_uuid = :user_uuid
            AND others.client_hash <> ALL(:hashes::bytea[])
          ORDER BY others.seen_at DESC
          OFFSET :most
      )
)
INSERT INTO familiar_clients (user_uuid, client_hash)
SELECT
    :user_uuid,
    seen.client_hash
FROM unnest(:hashes::bytea[]) AS seen (client_hash)
ON CONFLICT (user_uuid, client_hash) DO UPDATE SET seen_at = now()
