-- When indexes that keep entries of deleted rows are built again, which the sweeper does
-- (docs/decisions/0035).
CREATE TABLE index_rebuilds (
    index_name text PRIMARY KEY,
    due_at timestamptz NOT NULL
);
ALTER TABLE index_rebuilds ALTER COLUMN index_name SET STATISTICS 0;
ALTER TABLE index_rebuilds ALTER COLUMN due_at SET STATISTICS 0;
INSERT INTO index_rebuilds (index_name, due_at)
VALUES ('activities_search_idx', now() + interval '7 days');
