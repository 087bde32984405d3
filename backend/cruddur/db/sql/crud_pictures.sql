-- name: claim_removed
-- Removed pictures whose files no other process is deleting. SKIP LOCKED: another process may claim
-- at the same time.
UPDATE removed_pictures
SET claimed_until = now() + interval '30 seconds'
WHERE removed_pictures.uuid IN (
    SELECT claimable.uuid
    FROM removed_pictures AS claimable
    WHERE claimable.claimed_until <= now()
    LIMIT :batch
    FOR UPDATE SKIP LOCKED
)
RETURNING uuid

-- name: create
-- Inserts a picture that no crud shows yet. No row unless the member's session is open; NULLs if the
-- member already has as many pictures as one member may have.
WITH viewer AS (
    SELECT member.uuid
    FROM signed_in(:viewer, :session) AS member
),
created AS (
    INSERT INTO pictures (user_uuid, width, height, expires_at)
    SELECT
        viewer.uuid,
        :width,
        :height,
        now() + :lifetime
    FROM viewer
    WHERE (
        SELECT count(*) < :most
        FROM pictures
        WHERE pictures.user_uuid = viewer.uuid
    )
    RETURNING uuid, expires_at
)
SELECT
    created.uuid,
    created.expires_at
FROM viewer
LEFT JOIN created ON true

-- name: create_file
-- Nothing if the picture was deleted in the meantime.
INSERT INTO picture_files (picture_uuid, size, jpeg)
SELECT
    pictures.uuid,
    :size,
    :jpeg
FROM pictures
WHERE pictures.uuid = :uuid

-- name: delete
DELETE FROM pictures
WHERE pictures.uuid = :uuid

-- name: delete_removed
DELETE FROM removed_pictures
WHERE removed_pictures.uuid = ANY(:uuids::uuid[])

-- name: has_removed
SELECT EXISTS (
    SELECT FROM removed_pictures
    WHERE removed_pictures.claimed_until <= now()
)

-- name: release_removed
-- Lets the next sweep try again.
UPDATE removed_pictures
SET claimed_until = '-infinity'
WHERE removed_pictures.uuid = ANY(:uuids::uuid[])

-- name: remove_orphans
-- Records stored pictures as removed if their rows are gone.
INSERT INTO removed_pictures (uuid)
SELECT stored.uuid
FROM unnest(:uuids::uuid[]) AS stored (uuid)
WHERE NOT EXISTS (
    SELECT FROM pictures
    WHERE pictures.uuid = stored.uuid
)
ON CONFLICT DO NOTHING
RETURNING uuid

-- name: show_file
SELECT picture_files.jpeg
FROM picture_files
WHERE picture_files.picture_uuid = :uuid
  AND picture_files.size = :size

-- name: time_left
-- For how long a live crud still shows a picture.
SELECT live_activities.expires_at - now()
FROM pictures
JOIN live_activities ON live_activities.uuid = pictures.activity_uuid
WHERE pictures.uuid = :uuid
