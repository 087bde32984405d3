"""Fixtures of the tests of the database layer."""

from collections.abc import AsyncIterator

import pytest

from cruddur.db.pool import Database
from patience import PATIENCE


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[Database]:
    """A pool of one connection, so that the next user gets the same one."""
    opened = Database(dsn, pool_size=1, statement_timeout=PATIENCE)
    await opened.open()
    yield opened
    await opened.close()
