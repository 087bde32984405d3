-- Whether a crud may have a lifetime.
SELECT :lifetime::interval <= replace(instance.max_ttl, '-', ' ')::interval
FROM instance
