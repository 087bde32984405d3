"""Check that the database responds and accepts writes, on a separate connection."""

import asyncio

from cruddur.db.connector import check_writable
from cruddur.db.pool import DatabaseUnavailableError, connect, connection_errors
from cruddur.db.statements import Connection

PROBE_SECONDS = 1.0
"""Time limit of a probe. So a load balancer gets its response within 2 s in any case."""


class Probe:
    """One connection, opened by the first probe and kept until it fails."""

    def __init__(self, dsn: str) -> None:
        """Set the URL of the database."""
        self._dsn = dsn
        self._conn: Connection | None = None
        self._running: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Check that the database responds and accepts writes. Concurrent callers share one probe.

        Raises:
            DatabaseUnavailableError: it does not respond in time, or it is read-only.
            DatabaseTooOldError: the server is older than PostgreSQL 18.
        """
        if self._running is None:
            self._running = asyncio.create_task(self._probe())
            self._running.add_done_callback(self._finish)
        # A cancelled caller does not cancel the probe of the others.
        await asyncio.shield(self._running)

    def close(self) -> None:
        """Close the connection."""
        if self._running is not None:
            self._running.cancel()  # closes the connection that it uses
        if self._conn is not None:
            self._conn.terminate()

    async def _probe(self) -> None:
        is_new = self._conn is None
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                try:
                    await self._query()
                except DatabaseUnavailableError:
                    if is_new:
                        raise
                    # Since the last probe, the connection broke or its server was demoted.
                    await self._query()
        except TimeoutError as error:
            raise DatabaseUnavailableError(f"no response in {PROBE_SECONDS:g} s") from error

    async def _query(self) -> None:
        conn, self._conn = self._conn or await connect(self._dsn), None
        try:
            with connection_errors(conn):
                await check_writable(conn, self._dsn)
        except BaseException:
            conn.terminate()
            raise
        self._conn = conn

    def _finish(self, probe: asyncio.Task[None]) -> None:
        self._running = None
        if not probe.cancelled():
            probe.exception()  # mark it as retrieved, also if no caller is left
