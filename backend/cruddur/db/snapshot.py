"""Read the snapshot of the database: the version of everything that can be read from it."""

import asyncio
from typing import TypeAlias

from cruddur.db.pool import Database
from cruddur.db.statements import load

_CURRENT = load("snapshot.current")

Snapshot: TypeAlias = str
"""The visible transactions of a server, and the time of the next expiry.

Between two equal snapshots nothing was committed and nothing has expired, so the data is the same.
"""

TIMEOUT_SECONDS = 1.0
"""How long to wait for a connection: a check that takes longer would save no time."""


class Snapshots:
    """Reads the current snapshot; concurrent requests share one reading."""

    def __init__(self, database: Database) -> None:
        """Set the database to read."""
        self._database = database
        self._reading: asyncio.Task[Snapshot] | None = None
        self._next: asyncio.Task[Snapshot] | None = None

    async def current(self) -> Snapshot:
        """Return a snapshot that was read after this call.

        A reading in progress may have started too early, so the caller waits for the next one.

        Raises:
            DatabaseUnavailableError: see `Database.connection`.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._read(self._reading))
            self._next.add_done_callback(_retrieve)
        # A cancelled caller does not cancel it for the others.
        return await asyncio.shield(self._next)

    async def _read(self, previous: asyncio.Task[Snapshot] | None) -> Snapshot:
        if previous is not None:
            await asyncio.wait([previous])
        self._reading, self._next = self._next, None
        async with self._database.connection(TIMEOUT_SECONDS) as conn:
            return str(await _CURRENT.value(conn))


def _retrieve(reading: asyncio.Task[Snapshot]) -> None:
    """Mark the exception as retrieved, also if no caller waits for the result."""
    if not reading.cancelled():
        reading.exception()
