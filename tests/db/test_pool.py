"""The pool of database connections."""

import asyncio

import pytest

from cruddur.db.pool import Database, DatabaseUnavailableError
from patience import PATIENCE
from relay import relaying


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


async def test_what_was_answered_before_the_server_became_silent_is_no_failure(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cruddur.db.pool._ROLLBACK_SECONDS", 0.1)
    async with relaying(dsn) as relay:
        pool = Database(relay.dsn(dsn), pool_size=2, statement_timeout=PATIENCE)
        await pool.open()

        async def wait_for_silent_server() -> None:
            async with pool.connection() as conn:
                relay.open.clear()
                async with asyncio.timeout(0.1):
                    await conn.fetchval("SELECT 2")

        async with pool.connection() as answered:
            assert await answered.fetchval("SELECT 1") == 1
            # After that, the pool closes each connection, and the server does not confirm it.
            with pytest.raises(DatabaseUnavailableError, match="a statement was not answered"):
                await wait_for_silent_server()
        relay.open.set()
        async with pool.connection() as conn:
            assert await conn.fetchval("SELECT 3") == 3
        await pool.close()
