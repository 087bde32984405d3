"""How one process tells the others that there are new events: only that, never which.

The events are in the database; a word that is lost delays them until somebody looks.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from cruddur.db.live import CHANNEL
from cruddur.db.statements import Connection


class Bus(Protocol):
    """Carries the word from who commits to who follows."""

    @property
    def announce(self) -> Callable[[], None] | None:
        """To be called after each commit; None where the database sends the word itself."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Carries the word inside."""

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

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Nothing has to run."""
        yield

    @asynccontextmanager
    async def waking(self, conn: Connection, wake: Callable[[], None]) -> AsyncIterator[None]:
        """LISTEN on the connection."""

        def hear(*_: object) -> None:
            wake()

        await conn.add_listener(CHANNEL, hear)
        yield
        # Not for who leaves by an exception: that is the end of the connection.
        await conn.remove_listener(CHANNEL, hear)
