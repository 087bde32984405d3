"""The shared application behind a real server: a stream needs a socket."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from quart import Quart

from support import serving_on_a_socket
from telemetry.recorded import until


@pytest.fixture
async def url(app: Quart, database: asyncpg.Connection) -> AsyncIterator[str]:
    """The address of the service. No stream is open yet, so no events of other tests arrive."""
    await database.execute("DELETE FROM expired_activities")
    async with serving_on_a_socket(app) as address:
        yield address
    await until(lambda: not app.extensions["cruddur"].live.has_streams)
