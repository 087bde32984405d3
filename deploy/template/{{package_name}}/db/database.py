"""The pool of database connections."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import asyncpg

from ..errors import UnavailableError

# At run time, the pool yields a proxy of a connection.
Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)

ACQUIRE_SECONDS = 5.0
"""How long to wait for a connection."""

STATEMENT_SECONDS = 10.0
"""How long a statement may take."""

CLOSE_SECONDS = 3.0
"""How long to wait for connections in use when the pool is closed."""

OUTAGES = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # too many connections
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.OperatorInterventionError,  # the server starts or stops, or ended the session
)


class Database:
    """A pool of connections."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """Set the pool, which is open."""
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def opened(cls, dsn: str, pool_size: int) -> AsyncIterator["Database"]:
        """Open a pool for the duration of the block.

        Args:
            dsn: the database.
            pool_size: the largest number of connections.

        Raises:
            UnavailableError: the database does not respond.
        """
        with outages():
            pool = await asyncpg.create_pool(
                dsn,
                min_size=1,
                max_size=pool_size,
                timeout=ACQUIRE_SECONDS,
                command_timeout=STATEMENT_SECONDS,
            )
        try:
            yield cls(pool)
        finally:
            try:
                await asyncio.wait_for(pool.close(), CLOSE_SECONDS)
            except TimeoutError:
                pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Yield a connection. Each statement is its own transaction; see also `transaction()` of
        asyncpg.

        Raises:
            UnavailableError: the database does not respond, or no connection is free.
        """
        with outages():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as conn:
                yield conn

    async def ping(self) -> None:
        """Check that the database responds.

        Raises:
            UnavailableError: see `connection`.
        """
        async with self.connection() as conn:
            await conn.execute("SELECT 1")


@contextmanager
def outages() -> Iterator[None]:
    """Raise UnavailableError if the database does not respond inside the block."""
    try:
        yield
    except OUTAGES as error:
        raise UnavailableError(f"the database does not respond: {error}") from error
