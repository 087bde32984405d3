"""Writes: one statement commits by itself, several commit together, then events are announced."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import pytest
from quart import Quart

from cruddur.db.pool import Database, DatabaseUnavailableError
from cruddur.db.statements import Connection, Statement
from cruddur.telemetry.operation import Operation
from patience import PATIENCE
from support import Member, count_rows, until_blocking

INSERT = Statement("x.y", "INSERT INTO throttles VALUES (:bucket, 1, now() + interval '1 hour')")

Writing = Callable[[Database], AbstractAsyncContextManager[Connection]]


@asynccontextmanager
async def refusing_to_commit(
    conn: asyncpg.Connection, table: str, code: str
) -> AsyncIterator[None]:
    """Make every insert into a table fail, but only at the commit."""
    await conn.execute(
        "CREATE FUNCTION refuse_to_commit() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'refused' USING ERRCODE = '{code}'; END $$;"
        f" CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_to_commit()"
    )
    try:
        yield
    finally:
        await conn.execute(f"DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse_to_commit()")


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Database]:
    """A pool of one connection, so that the next user gets the state that one leaves behind."""
    opened = Database(dsn, pool_size=1, statement_timeout=PATIENCE)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(params=["writing", "transaction"])
def writing(request: pytest.FixtureRequest) -> Writing:
    """The ways to write."""
    return lambda pool: getattr(pool, request.param)()


async def test_a_write_is_committed_before_it_is_announced(
    pool: Database, writing: Writing, database: asyncpg.Connection
) -> None:
    async with writing(pool) as conn:
        await INSERT.run(conn, bucket="worf")
        assert not pool.committed.is_set()
    assert pool.committed.is_set()
    assert await count_rows(database, "throttles") == 1


@pytest.mark.parametrize("code", ["40P01", "40001"])
async def test_a_transaction_that_fails_at_the_commit_writes_nothing(
    pool: Database, writing: Writing, database: asyncpg.Connection, code: str
) -> None:
    async with refusing_to_commit(database, "throttles", code):
        with pytest.raises(DatabaseUnavailableError):
            async with writing(pool) as conn:
                await INSERT.run(conn, bucket="worf")
    assert await count_rows(database, "throttles") == 0
    async with writing(pool) as conn:
        await INSERT.run(conn, bucket="worf")
    assert await count_rows(database, "throttles") == 1


async def test_a_cancelled_write_leaves_the_connection_clean(
    pool: Database, writing: Writing, database: asyncpg.Connection
) -> None:
    async def write() -> None:
        async with writing(pool) as conn:
            await INSERT.run(conn, bucket="worf")

    async with database.transaction():  # other writers of this bucket wait for this transaction
        await INSERT.run(database, bucket="worf")
        waiting = asyncio.create_task(write())
        await until_blocking(database)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        async with pool.connection() as conn:
            assert await conn.fetchval("SELECT pg_current_xact_id_if_assigned()") is None
    assert await count_rows(database, "throttles") == 1


async def test_uncommitted_writes_are_not_counted(
    app: Quart, andrew: Member, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr(Operation, "_add", lambda _, metric, *__: counted.append(metric))
    for headers in ({}, {"Idempotency-Key": "once"}):
        draft: dict[str, Any] = {"message": "Crud", "ttl": "1-day"}
        async with refusing_to_commit(database, "activities", "40P01"):
            codes = await andrew.post("/api/activities", draft, headers=headers, expect=503)
        assert codes == ["unavailable"]
        assert counted == []
        await andrew.post("/api/activities", draft, headers=headers)
        assert counted == ["app.cruds.created"]
        counted.clear()
