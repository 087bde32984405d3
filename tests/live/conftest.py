"""The application of all tests behind a real server: a stream needs a socket."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from quart import Quart

from support import serving_on_a_socket
from telemetry.recorded import until


@pytest.fixture
async def url(app: Quart, database: asyncpg.Connection) -> AsyncIterator[str]:
    """Where the service answers; it has told of everything that other tests did."""
    await _settle(app, database)
    async with serving_on_a_socket(app) as address:
        yield address
    await _settle(app, database)


async def _settle(app: Quart, database: asyncpg.Connection) -> None:
    """Have nothing left that ends, and nothing left to tell.

    A table that is emptied tells nobody, and the ends of its cruds would be told to the next
    test. What is deleted is told.
    """
    await database.execute("DELETE FROM users")
    await database.execute("DELETE FROM expired_activities")
    latest: int = await database.fetchval("SELECT COALESCE(max(id), 0) FROM events")
    hub = app.extensions["cruddur"].live
    await until(lambda: hub.position >= latest)
    await asyncio.sleep(0.02)  # ends that are over are told by another task
