"""Wake the followers of all processes when there are new events.

A wake-up carries no event: the follower reads the events from the database. It is not part of the
transaction that commits them, which would then wait for the commits of all others that notify. If
a wake-up is lost, its events are delivered at the next poll.
"""

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from cruddur.db import live as db
from cruddur.db.pool import Database, DatabaseUnavailableError, receives_notifications
from cruddur.db.statements import Connection

logger = logging.getLogger(__name__)

_INTERVAL_SECONDS = 0.02
"""Minimum time between two wake-ups. The commits in between share the next one."""


class Bus(ABC):
    """Carries wake-ups from the processes that commit events to those that follow the log.

    Attributes:
        sender: the name of this process in its wake-ups, which it ignores when they come back.
    """

    def __init__(self, database: Database) -> None:
        """Set the pool whose commits cause wake-ups."""
        self._database = database
        self.sender = secrets.token_hex(8)
        self._wake: Callable[[], None] | None = None

    async def send_wake_ups(self) -> None:
        """Wake this process and the others after commits, until cancelled."""
        while True:
            await self._database.committed.wait()
            self._database.committed.clear()
            if self._wake is not None:
                self._wake()
            await self._send()
            await asyncio.sleep(_INTERVAL_SECONDS)

    @asynccontextmanager
    async def waking(self, conn: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """Call `wake` whenever there may be new events.

        Args:
            conn: a connection to the database that stays open meanwhile.
            wake: called in the event loop, possibly more often than needed.
        """
        self._wake = wake
        try:
            async with self._receiving(conn, wake):
                yield
        finally:
            self._wake = None

    @abstractmethod
    async def check(self, conn: Connection) -> None:
        """Check whether wake-ups can arrive on a new connection."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections of the bus."""

    @abstractmethod
    async def _send(self) -> None:
        """Wake the other processes."""

    @abstractmethod
    def _receiving(
        self, conn: Connection, wake: Callable[[], None]
    ) -> AbstractAsyncContextManager[None]:
        """Call `wake` for the wake-ups of other processes."""


class PostgresBus(Bus):
    """NOTIFY, in a transaction of its own, while another process listens."""

    def __init__(self, database: Database, dsn: str, variable: str) -> None:
        """Set the URL of the database and the name of its variable, for warnings."""
        super().__init__(database)
        self._dsn = dsn
        self._variable = variable
        self._is_polling = False
        self._process_id = 0

    async def check(self, conn: Connection) -> None:
        """Log a warning if a pooler prevents notifications on the connection."""
        self._is_polling = not await receives_notifications(conn, self._dsn)
        if self._is_polling:
            logger.warning(
                "%s goes through a pooler in transaction mode, where LISTEN does not work: new"
                " events are read every second. Set CRUDDUR_DIRECT_URL to PostgreSQL itself",
                self._variable,
            )

    async def close(self) -> None:
        """Do nothing: the connections belong to the pool and to the follower."""

    async def _send(self) -> None:
        try:
            async with self._database.connection() as conn:
                await db.notify(conn, sender=self.sender, own_process_id=self._process_id)
        except DatabaseUnavailableError as error:
            logger.debug("events wait for the next poll: %s", error)

    @asynccontextmanager
    async def _receiving(self, conn: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        if self._is_polling:
            yield
            return

        def on_notification(*arguments: object) -> None:
            if arguments[-1] != self.sender:
                wake()

        self._process_id = await db.listen(conn)
        try:
            await conn.add_listener(db.CHANNEL, on_notification)
            yield
            # Not after an exception, which closes the connection.
            await db.unlisten(conn)
            await conn.remove_listener(db.CHANNEL, on_notification)
        finally:
            self._process_id = 0
