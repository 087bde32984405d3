-- name: mark
-- A row that only this server and its replicas have.
INSERT INTO events (kind, snapshot)
VALUES ('mark', pg_current_snapshot())
RETURNING
    xid,
    created_at,
    pg_postmaster_start_time() AS started_at

-- name: server
-- The start of the server of a new connection, which identifies it, and how far it has replayed the log.
-- After a crash of one of its processes, a replica with the same start replays a part again.
SELECT
    pg_postmaster_start_time() AS started_at,
    (pg_last_wal_replay_lsn() - '0/0')::bigint AS replayed

-- name: state
-- How far a replica has replayed the log, and whether it has a mark of the primary. Each statement that
-- begins after this one sees what was replayed by now.
SELECT
    pg_is_in_recovery() AS is_replica,
    (pg_last_wal_replay_lsn() - '0/0')::bigint AS replayed,
    clock_timestamp() AS clock,
    EXISTS (
        SELECT FROM events
        WHERE events.xid = :xid
          AND events.created_at = :created_at
    ) AS has_mark
