-- These tables have text in the keys of their indexes: the indexes are cleaned every time.
VACUUM (ANALYZE, SKIP_LOCKED, PARALLEL 0, TRUNCATE off, INDEX_CLEANUP on)
    accounts,
    activity_tags,
    idempotency_keys,
    signups,
    throttles,
    users
