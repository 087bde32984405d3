-- Users and tags are found by the beginning of their names. With the collation "C", an index serves a
-- range of prefixes in every database, whatever its locale.
CREATE INDEX users_handle_prefix_idx ON users (handle COLLATE "C");

-- Display names as search compares them, without case and accents, and without spaces.
CREATE INDEX users_name_prefix_idx ON users ((replace(search_text(display_name), ' ', '') COLLATE "C"));
ALTER INDEX users_name_prefix_idx ALTER COLUMN 1 SET STATISTICS 0;

-- Also the order of trending tags with the same count no longer depends on the locale. The index of
-- tags is built again.
ALTER TABLE activity_tags ALTER COLUMN tag TYPE text COLLATE "C";
