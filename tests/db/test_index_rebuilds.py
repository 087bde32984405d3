"""A worker rebuilds the search index when it is due."""

import asyncio

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.process import periodic_jobs
from cruddur.settings import Settings
from patience import PATIENCE

FILE = "SELECT pg_relation_filenode('activities_search_idx')"


async def test_a_due_index_is_rebuilt_once(
    settings: Settings, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic_jobs, "REBUILD_CHECK_SECONDS", 0.05)
    await database.execute("UPDATE index_rebuilds SET due_at = now()")
    before = await database.fetchval(FILE)
    async with create_app(settings).test_app(), asyncio.timeout(PATIENCE):
        # The rebuild sets it, after the claim that another worker would see.
        while not await database.fetchval(  # noqa: ASYNC110  # another process's event
            "SELECT due_at > now() + interval '6 days' FROM index_rebuilds"
        ):
            await asyncio.sleep(0.05)
        rebuilt = await database.fetchval(FILE)
        assert rebuilt != before
    assert await database.fetchval(FILE) == rebuilt
