"""Fixtures: an explorer that services export to, and the settings of these services."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import UUID

import httpx
import pytest
from exploring import Explorer, exporting

from cruddur.settings import Settings
from scenarios.database import fill
from scenarios.threads import in_thread
from support import serving_on_a_socket
from traceview.app import create_app
from traceview.storage.file import TraceFile
from traceview.storage.retention import FileBounds

MEMBERS = 10
CRUDS = 400


@pytest.fixture(scope="module")
async def explorer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Explorer]:
    """An explorer with a file."""
    file = TraceFile(tmp_path_factory.mktemp("explorer") / "traces.duckdb", FileBounds())
    # In a thread, because a test may block its event loop.
    with in_thread(serving_on_a_socket(create_app(file=file))) as url:
        async with httpx.AsyncClient(base_url=url) as http:
            yield Explorer(url, http)
    file.close()


@pytest.fixture(scope="module")
async def filled(make_database: Callable[..., Any]) -> tuple[str, Sequence[UUID]]:
    """The name of a database with members and cruds, and the members."""
    dsn = await make_database()
    members = await fill(dsn, members=MEMBERS, cruds=CRUDS)
    return dsn.partition("?")[0].rpartition("/")[2], members


@pytest.fixture
async def own_settings(
    worker_settings: Settings,
    make_database: Callable[..., Any],
    filled: tuple[str, Sequence[UUID]],
    explorer: Explorer,
) -> Settings:
    """Settings with a clone of the filled database, which export to the explorer after the load."""
    return exporting(worker_settings, await make_database(of=filled[0]), explorer)
