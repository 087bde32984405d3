-- No column has statistics (docs/decisions/0008), for two reasons.
--
-- pg_stats holds samples of the data: most common values, histogram bounds, lexemes. Expired
-- cruds, messages and e-mail addresses of deleted accounts stay readable there until the next
-- ANALYZE.
--
-- Most rows live for hours, so statistics describe the past. After a quiet spell the planner
-- expects one live crud where there are thousands. Without statistics it assumes constant
-- fractions of a table, whose size it reads from the file. Only that size changes a plan.
DO $$
DECLARE
    col record;
BEGIN
    FOR col IN
        SELECT
            pg_class.relnamespace::regnamespace::text AS schema_name,
            pg_class.relname AS table_name,
            pg_attribute.attname AS name
        FROM unnest(ARRAY[
            'accounts', 'activities', 'activity_tags', 'avatars', 'deleted_subjects', 'events',
            'expired_activities', 'idempotency_answers', 'idempotency_keys', 'likes',
            'message_groups', 'messages', 'migrations', 'notifications', 'password_resets',
            'refresh_tokens', 'reposts', 'sessions', 'signing_keys', 'signup_attempts', 'signups',
            'stream_tickets', 'throttles', 'used_uploads', 'users'
        ]::regclass[]) AS ours (oid)
        JOIN pg_class ON pg_class.oid = ours.oid
        JOIN pg_attribute ON pg_attribute.attrelid = ours.oid
        WHERE pg_attribute.attnum > 0
          AND NOT pg_attribute.attisdropped
    LOOP
        EXECUTE format(
            'ALTER TABLE %I.%I ALTER COLUMN %I SET STATISTICS 0',
            col.schema_name, col.table_name, col.name
        );
        PERFORM pg_clear_attribute_stats(col.schema_name, col.table_name, col.name, false);
    END LOOP;
END
$$;

-- Counts a person's live cruds. activities_user_idx is in the order of creation, where expired
-- cruds lie among the live ones.
CREATE INDEX activities_user_live_idx ON activities (user_uuid, expires_at)
WHERE reply_to_activity_uuid IS NULL;

-- The sweeper looks for a mark among the events of the last five minutes.
CREATE INDEX events_mark_idx ON events (created_at) WHERE kind = 'mark';
