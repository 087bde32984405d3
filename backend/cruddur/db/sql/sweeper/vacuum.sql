-- Removes the text of deleted rows from the pages of the tables, and updates the row counts (no
-- column has statistics), which makes every connection replan its prepared statements: a plan
-- from when a table was empty would otherwise stay in use. INDEX_CLEANUP AUTO reads the indexes
-- only when 2 % of the pages have deleted rows. Truncation is left to autovacuum, because it
-- locks out readers.
VACUUM (ANALYZE, SKIP_LOCKED, PARALLEL 0, TRUNCATE off, INDEX_CLEANUP auto)
    activities,
    avatars,
    deleted_subjects,
    events,
    expired_activities,
    familiar_clients,
    idempotency_answers,
    likes,
    message_groups,
    messages,
    notifications,
    password_resets,
    rates,
    refresh_tokens,
    reposts,
    sessions,
    signing_keys,
    signup_attempts,
    stream_tickets,
    used_uploads
