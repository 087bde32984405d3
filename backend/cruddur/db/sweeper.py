"""Physical removal of what has expired, in batches, by one process per database."""

from cruddur.db.pool import connect
from cruddur.db.statements import load

LOCK = 4567_0002
"""The advisory lock that makes one process the sweeper."""

BATCH = 5000
"""Cruds per delete: short enough that nobody waits for it."""

_TRY_LOCK = load("sweeper.try_lock")
_ANALYZE = load("sweeper.analyze")
_ACTIVITIES = load("activities.sweep")
_OTHERS = tuple(
    load(f"sweeper.{name}")
    for name in (
        "deleted_subjects",
        "signups",
        "password_resets",
        "sessions",
        "refresh_tokens",
        "throttles",
        "idempotency_keys",
        "mark",
        "events",
        "expired_activities",
        "stream_tickets",
        "used_uploads",
    )
)


async def sweep(dsn: str) -> int | None:
    """Remove everything that has expired; None when another process is at it.

    Returns the number of cruds and replies that were removed directly; replies that went
    with their crud are not counted.

    Raises:
        DatabaseUnavailableError, DatabaseTooOldError: as `connect` says.
    """
    conn = await connect(dsn)
    try:
        if not await _TRY_LOCK.value(conn, lock=LOCK):
            return None
        total = 0
        while removed := await _ACTIVITIES.run(conn, batch=BATCH):
            total += removed
        for statement in _OTHERS:
            await statement.run(conn)
        await _ANALYZE.run(conn)
        return total
    finally:
        await conn.close()
