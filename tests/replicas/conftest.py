"""Fixtures of the tests with replicas: one cluster for all of them."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db import replicas
from cruddur.db.migrate import migrate
from cruddur.settings import Settings
from patience import PATIENCE
from replicas.cluster import Cluster, Service, cluster, service
from support import Api, empty, serving


@pytest.fixture(scope="session", autouse=True)
def _quick_states() -> Iterator[None]:
    """Read the states of replicas often, and let a busy machine take its time for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicas, "POLL_SECONDS", 0.1)
        patch.setattr(replicas, "POLL_TIMEOUT", PATIENCE)
        patch.setattr(replicas, "RETRY_SECONDS", 0.1)
        patch.setattr(replicas, "MAX_RETRY_SECONDS", 0.1)
        yield


@pytest.fixture(scope="session")
async def nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """A primary and two replicas, with all tables."""
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        await migrate(running.primary.dsn)
        conn = await asyncpg.connect(running.primary.dsn)
        await conn.execute("ALTER DATABASE postgres SET synchronous_commit = on")
        await conn.close()
        yield running


@pytest.fixture(scope="session")
async def started(worker_settings: Settings, nodes: Cluster) -> AsyncIterator[Service]:
    """A service whose reads go to the replicas."""
    async with service(worker_settings, nodes) as opened:
        yield opened


@pytest.fixture
async def reading(started: Service) -> AsyncIterator[Service]:
    """The same service, with an empty database and nothing recorded yet."""
    await started.is_fresh()
    started.choices()
    yield started
    await empty(started.conn)


@pytest.fixture(scope="session")
async def other_process(worker_settings: Settings, nodes: Cluster) -> AsyncIterator[Api]:
    """Another process of the service, which uses the primary alone."""
    app = create_app(replace(worker_settings, connection_url=nodes.primary.dsn))
    async with serving(app) as api:
        yield api
