"""Physical removal of expired and deleted rows, by one process per database."""

from cruddur.db.pool import connect, losses
from cruddur.db.statements import Connection, load

LOCK = 4567_0002
"""The advisory lock that makes one process the sweeper."""

BATCH = 5000
"""Cruds per delete: short enough that nobody waits for it."""

_TRY_LOCK = load("sweeper.try_lock")
_VACUUM = (load("sweeper.vacuum"), load("sweeper.vacuum_keys"))
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
        "rates",
        "idempotency_keys",
        "mark",
        "events",
        "expired_activities",
        "stream_tickets",
        "used_uploads",
    )
)


async def sweep(dsn: str) -> int | None:
    """Delete everything that has expired, and vacuum, so that deleted rows leave their pages.

    Returns the number of cruds and replies that were deleted directly, not by the cascade from
    their parent; None when another process is sweeping.

    Raises:
        DatabaseUnavailableError: the server is away, or in a condition that will pass.
        DatabaseTooOldError: as `connect` says.
    """
    conn = await connect(dsn)
    try:
        with losses(conn):
            return await _sweep(conn)
    finally:
        await conn.close()


async def _sweep(conn: Connection) -> int | None:
    if not await _TRY_LOCK.value(conn, lock=LOCK):
        return None
    total = 0
    while removed := await _ACTIVITIES.run(conn, batch=BATCH):
        total += removed
    for statement in _OTHERS:
        await statement.run(conn)
    for statement in _VACUUM:
        await statement.run(conn)
    return total
