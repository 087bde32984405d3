"""A cancelled statement leaves its connection clean for the next user."""

import asyncio
from typing import Any

import asyncpg
import pytest

from cruddur.db.pool import Database, DatabaseUnavailableError

SQL = "SELECT count(*) FROM activities WHERE expires_at > now()"


@pytest.mark.parametrize(
    "interruption", [asyncio.CancelledError(), TimeoutError(), asyncpg.DataError("no such text")]
)
async def test_between_preparing_and_executing(
    pool: Database,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    interruption: BaseException,
) -> None:
    prepare = asyncpg.Connection._get_statement

    async def prepare_and_leave(conn: Any, *args: Any, **options: Any) -> None:
        await prepare(conn, *args, **options)
        raise interruption

    async with pool.connection() as conn:
        pid = conn.get_server_pid()
    monkeypatch.setattr(asyncpg.Connection, "_get_statement", prepare_and_leave)
    with pytest.raises((type(interruption), DatabaseUnavailableError)):
        async with pool.connection() as conn:
            await conn.fetchval(SQL)
    monkeypatch.undo()
    left = "SELECT xact_start FROM pg_stat_activity WHERE pid = $1"
    assert await database.fetchval(left, pid) is None
    async with pool.connection() as conn:
        assert conn.get_server_pid() == pid, "the connection works as if it were new"
        before = await database.fetchval("SELECT clock_timestamp()")
        assert await conn.fetchval("SELECT now()") > before
        assert await conn.fetchval("SHOW timezone") == "UTC"


@pytest.mark.parametrize("wait", [0.0, 0.0005, 0.001, 0.002, 0.005])
async def test_at_any_moment(pool: Database, database: asyncpg.Connection, wait: float) -> None:
    async def read() -> None:
        async with pool.connection() as conn:
            await conn.fetchval(f"{SQL} AND likes_count > {wait}")

    for _ in range(20):
        reading = asyncio.create_task(read())
        await asyncio.sleep(wait)
        reading.cancel()
        await asyncio.wait([reading])
        async with pool.connection() as conn:
            pid = conn.get_server_pid()
        left = "SELECT xact_start FROM pg_stat_activity WHERE pid = $1"
        assert await database.fetchval(left, pid) is None
