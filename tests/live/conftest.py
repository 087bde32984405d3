"""The shared application behind a real server, because a stream needs a socket; and databases."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from quart import Quart

from cruddur.db.migrate import migrate
from live.server import Server
from support import serving_on_a_socket
from telemetry.recorded import until


@pytest.fixture
async def url(app: Quart, database: asyncpg.Connection) -> AsyncIterator[str]:
    """The address of the service. No stream is open yet, so no events of other tests arrive."""
    await database.execute("DELETE FROM expired_activities")
    await database.execute("DELETE FROM expired_messages")
    async with serving_on_a_socket(app) as address:
        yield address
    await until(lambda: not app.extensions["cruddur"].live.has_streams)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A running server with a migrated database."""
    with tempfile.TemporaryDirectory(prefix="cruddur-killed-") as directory:
        database = Server(Path(directory))
        try:
            await asyncio.to_thread(database.start)
            await migrate(database.dsn)
            conn = await asyncpg.connect(database.dsn)
            await conn.execute("ALTER DATABASE cruddur SET synchronous_commit = on")
            await conn.close()
            yield database
        finally:
            await asyncio.to_thread(database.stop)
