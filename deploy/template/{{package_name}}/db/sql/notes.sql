-- name: create
INSERT INTO notes (title, text)
VALUES (:title, :text)
RETURNING id, title, text, created_at

-- name: delete
DELETE FROM notes
WHERE notes.id = :note_id
RETURNING id

-- name: list
-- The ids are ordered by time (UUIDv7), so an id is the position of its note in the list. The largest
-- uuid stands for the start of the list, so that the index is always used.
SELECT
    notes.id,
    notes.title,
    notes.text,
    notes.created_at
FROM notes
WHERE notes.id < coalesce(:before, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
ORDER BY notes.id DESC
LIMIT :limit

-- name: read
SELECT
    notes.id,
    notes.title,
    notes.text,
    notes.created_at
FROM notes
WHERE notes.id = :note_id
