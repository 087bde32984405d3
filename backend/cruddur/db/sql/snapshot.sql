-- name: current
SELECT {snapshot} AS snapshot
