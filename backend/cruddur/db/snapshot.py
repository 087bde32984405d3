"""What can be seen in the database now: the version of all that is read from it."""

import asyncio
from typing import Any, TypeAlias

from cruddur.db.pool import Database
from cruddur.db.statements import load

_CURRENT = load("snapshot.current")

Snapshot: TypeAlias = tuple[Any, ...]
"""Which transactions of which server are visible, and when the next crud expires. Between two
that are equal nothing was committed and nothing expired: whoever reads twice reads the same."""

PATIENCE_SECONDS = 1.0
"""How long a connection is waited for: to find out whether work can be saved must not take as
long as the work."""


class Snapshots:
    """Reads the present snapshot; those who ask at the same time share one reading."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database
        self._reading: asyncio.Task[Snapshot] | None = None
        self._next: asyncio.Task[Snapshot] | None = None

    async def current(self) -> Snapshot:
        """The snapshot of a moment after this was called.

        A reading under way may have looked before, so who comes meanwhile shares the next.

        Raises:
            DatabaseUnavailableError: as `Database.connection` says.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._reading))
            self._next.add_done_callback(_retrieve)
        # Whoever gives up leaves it to the others.
        return await asyncio.shield(self._next)

    async def _read(self, before: asyncio.Task[Snapshot] | None) -> Snapshot:
        if before is not None:
            await asyncio.wait([before])
        self._reading, self._next = self._next, None
        async with self._database.connection(PATIENCE_SECONDS) as conn:
            return tuple(await _CURRENT.row(conn) or ())


def _retrieve(reading: asyncio.Task[Snapshot]) -> None:
    """Its failure is known, also when nobody waits any more."""
    if not reading.cancelled():
        reading.exception()
