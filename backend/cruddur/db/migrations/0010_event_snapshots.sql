-- Events are published in the order of snapshots (docs/decisions/0014), so a transaction that records
-- one neither takes a lock nor notifies. The positions of clients from before are unknown now, so
-- those clients get a reset.
DELETE FROM events;
ALTER TABLE events
    -- The transaction that recorded the event; also for an event of a subtransaction.
    ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    -- What was visible to a mark. It decides which events are old enough to be deleted.
    ADD COLUMN snapshot pg_snapshot CHECK ((snapshot IS NULL) = (kind <> 'mark')),
    ALTER COLUMN xid SET STATISTICS 0,
    ALTER COLUMN snapshot SET STATISTICS 0;
CREATE INDEX events_xid_idx ON events (xid);
DROP INDEX events_created_at_idx;

-- Called by deferred triggers, or otherwise as the last that a transaction does.
CREATE OR REPLACE FUNCTION record_event(
    event_kind text, subject uuid DEFAULT NULL, member uuid DEFAULT NULL, parent uuid DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events (kind, subject_uuid, user_uuid, parent_uuid, traceparent, snapshot)
    VALUES (
        event_kind, subject, member, parent,
        NULLIF(current_setting('cruddur.traceparent', true), ''),
        CASE WHEN event_kind = 'mark' THEN pg_current_snapshot() END
    );
END
$$;
SELECT record_event('mark');
