"""Wake the followers of all processes when there are new events.

A wake-up carries no event: the follower reads the events from the database. If a wake-up is lost,
its events are delivered at the next poll.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db.live import CHANNEL
from cruddur.db.pool import receives_notifications
from cruddur.db.statements import Connection

logger = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
"""How often the follower polls if no notification can arrive."""


class Bus(Protocol):
    """Carries wake-ups from the processes that commit events to those that follow the log."""

    @property
    def announce(self) -> Callable[[], None] | None:
        """The function to call after each commit; None if the database sends the wake-ups."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run the tasks that the bus needs to send wake-ups."""

    async def check(self, conn: Connection) -> None:
        """Check whether wake-ups can arrive on a new connection."""

    def waking(
        self, conn: Connection, wake: Callable[[], None]
    ) -> AbstractAsyncContextManager[None]:
        """Call `wake` whenever there may be new events.

        Args:
            conn: a connection to the database that stays open meanwhile.
            wake: called in the event loop, possibly more often than needed.
        """


class PostgresBus:
    """NOTIFY, which the database sends with the commit."""

    announce = None

    def __init__(self, dsn: str, variable: str) -> None:
        """Set the URL of the database and the name of its variable, for warnings."""
        self._dsn = dsn
        self._variable = variable
        self._is_polling = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do nothing: the database sends the wake-ups."""
        yield

    async def check(self, conn: Connection) -> None:
        """Log a warning if a pooler prevents notifications on the connection."""
        self._is_polling = not await receives_notifications(conn, self._dsn)
        if self._is_polling:
            logger.warning(
                "%s goes through a pooler in transaction mode, where LISTEN does not work: new"
                " events are read every second. Set CRUDDUR_DIRECT_URL to PostgreSQL itself",
                self._variable,
            )

    @asynccontextmanager
    async def waking(self, conn: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """LISTEN on the connection, or call `wake` every second."""
        if self._is_polling:
            timer = asyncio.create_task(_wake_periodically(wake))
            try:
                yield
            finally:
                await cancel_tasks(timer)
            return

        def on_notification(*_: object) -> None:
            wake()

        await conn.add_listener(CHANNEL, on_notification)
        yield
        # Not after an exception, which closes the connection.
        await conn.remove_listener(CHANNEL, on_notification)


async def _wake_periodically(wake: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        wake()
