"""Delete expired rows, and vacuum; one process per database at a time."""

from cruddur.db.live import delete_foreign_events
from cruddur.db.pool import connect, connection_errors
from cruddur.db.statements import Connection, Statement, load

LOCK = 4567_0002
"""The advisory lock of the sweeper."""

BATCH = 5000
"""Cruds or messages per statement: few enough that no request waits for its locks."""

_TRY_LOCK = load("sweeper.try_lock")
_VACUUM = (load("sweeper.vacuum"), load("sweeper.vacuum_keys"))
_ACTIVITIES = load("activities.sweep")
_MESSAGES = load("messages.sweep")
_CLAIM_REBUILD = load("sweeper.claim_rebuild")
_REBUILD = tuple(
    load(f"sweeper.{name}")
    for name in ("drop_half_built", "drop_half_replaced", "rebuild", "rebuilt")
)
_OTHER_STATEMENTS = tuple(
    load(f"sweeper.{name}")
    for name in (
        "announcements",
        "deleted_activities",
        "deleted_subjects",
        "evidence",
        "reports",
        "signups",
        "passkey_challenges",
        "email_changes",
        "password_resets",
        "sessions",
        "suspended_addresses",
        "refresh_tokens",
        "throttles",
        "rates",
        "familiar_clients",
        "mutes",
        "idempotency_keys",
        "invitations",
        "invited_addresses",
        "mark",
        "events",
        "expired_activities",
        "expired_messages",
        "released_previews",
        "stream_tickets",
        "unused_pictures",
        "used_uploads",
    )
)


async def sweep(dsn: str) -> int | None:
    """Delete everything that has expired, and vacuum, so that deleted rows leave their pages.

    Returns:
        The number of cruds and replies that were deleted directly, without those that a foreign key
        deleted with their parent; None if another process is sweeping.

    Raises:
        DatabaseUnavailableError: the server is unreachable or in a temporary condition.
        DatabaseTooOldError: as `connect` says.
    """
    conn = await connect(dsn)
    try:
        with connection_errors(conn):
            return await _sweep(conn)
    finally:
        await conn.close()


async def rebuild_search_index(dsn: str) -> bool:
    """Rebuild the search index if a week has passed, because it keeps the words of expired cruds.

    Reads and writes continue meanwhile. Sweeps delete rows, but cannot vacuum the table.

    Returns:
        Whether it was due.

    Raises:
        DatabaseUnavailableError, DatabaseTooOldError: as `sweep` says.
    """
    conn = await connect(dsn)
    try:
        with connection_errors(conn):
            if not await _CLAIM_REBUILD.run(conn):
                return False
            for statement in _REBUILD:
                await statement.run(conn)
            return True
    finally:
        await conn.close()


async def _sweep(conn: Connection) -> int | None:
    total = 0
    while removed := await _run_exclusively(conn, _ACTIVITIES, batch=BATCH):
        total += removed
    if removed is None:
        return None
    while await _run_exclusively(conn, _MESSAGES, batch=BATCH):
        pass
    await delete_foreign_events(conn)
    for statement in _OTHER_STATEMENTS:
        await _run_exclusively(conn, statement)
    for statement in _VACUUM:
        await statement.run(conn)
    return total


async def _run_exclusively(conn: Connection, statement: Statement, **values: int) -> int | None:
    """Run a statement in a transaction; return None if another process is sweeping."""
    async with conn.transaction():
        if not await _TRY_LOCK.value(conn, lock=LOCK):
            return None
        return await statement.run(conn, **values)
