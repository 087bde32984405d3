"""The pool of database connections."""

import asyncio

import pytest

from cruddur.db.pool import Database, DatabaseUnavailableError
from patience import PATIENCE


async def test_a_released_connection_goes_to_the_request_that_has_waited_longest(
    pool: Database,
) -> None:
    served: list[str] = []

    async def read(name: str) -> None:
        async with pool.connection():
            served.append(name)

    async with asyncio.TaskGroup() as group:
        async with pool.connection():
            group.create_task(read("first"))
            group.create_task(read("second"))
            await asyncio.sleep(0)  # both requests wait
        await read(
            "late"
        )  # it requests a connection before the event loop has resumed either of them
    assert served == ["first", "second", "late"]


async def test_a_cancelled_request_does_not_leak_a_connection(pool: Database) -> None:
    async def wait(patience: float) -> None:
        async with pool.connection(patience):
            pass

    async with asyncio.TaskGroup() as group, pool.connection():
        cancelled = group.create_task(wait(PATIENCE))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(DatabaseUnavailableError):
            await wait(0.01)
    async with asyncio.timeout(PATIENCE), pool.connection() as conn:
        assert await conn.fetchval("SELECT 1") == 1
