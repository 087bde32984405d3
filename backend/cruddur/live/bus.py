"""How one process tells the others that there are new events: only that, never which.

The events are in the database; a word that is lost delays them until somebody looks.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from cruddur.db.live import CHANNEL
from cruddur.db.pool import receives_notifications
from cruddur.db.statements import Connection
from cruddur.process.tasks import cancel_tasks

logger = logging.getLogger(__name__)

_DEAF_SECONDS = 1.0
"""How often events are read where no notification arrives."""


class Bus(Protocol):
    """Carries the word from who commits to who follows."""

    @property
    def announce(self) -> Callable[[], None] | None:
        """To be called after each commit; None where the database sends the word itself."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Carries the word inside."""

    async def check(self, conn: Connection) -> None:
        """Find out whether the word can arrive at a new connection."""

    def waking(
        self, conn: Connection, wake: Callable[[], None]
    ) -> AbstractAsyncContextManager[None]:
        """Inside, `wake` is called whenever there may be new events.

        Args:
            conn: a connection to the database that its user holds open.
            wake: may be called too often, and from the event loop only.
        """


class PostgresBus:
    """NOTIFY, sent by the database as a part of the commit."""

    announce = None

    def __init__(self, dsn: str, variable: str) -> None:
        """Take the database of the connections, and the variable that names it."""
        self._dsn = dsn
        self._variable = variable
        self._is_deaf = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Nothing has to run."""
        yield

    async def check(self, conn: Connection) -> None:
        """Log a warning if a pooler keeps notifications from the connection."""
        self._is_deaf = not await receives_notifications(conn, self._dsn)
        if self._is_deaf:
            logger.warning(
                "%s goes through a pooler in transaction mode, where LISTEN does not work: new"
                " events are read every second. Set CRUDDUR_DIRECT_URL to PostgreSQL itself",
                self._variable,
            )

    @asynccontextmanager
    async def waking(self, conn: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """LISTEN on the connection, or wake every second."""
        if self._is_deaf:
            clock = asyncio.create_task(_every_second(wake))
            try:
                yield
            finally:
                await cancel_tasks(clock)
            return

        def hear(*_: object) -> None:
            wake()

        await conn.add_listener(CHANNEL, hear)
        yield
        # Not for who leaves by an exception: that is the end of the connection.
        await conn.remove_listener(CHANNEL, hear)


async def _every_second(wake: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_DEAF_SECONDS)
        wake()
