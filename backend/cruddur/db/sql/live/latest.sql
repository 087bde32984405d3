SELECT events.id
FROM events
ORDER BY events.id DESC
LIMIT 1
