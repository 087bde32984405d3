"""A primary with two streaming replicas, and a service that reads from them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from quart import Quart

from cruddur.app import create_app
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.settings import Settings
from cruddur.settings.database_url import server_addresses
from cruddur.telemetry.pipeline import Telemetry
from outage import caught_up, own_server, own_standby
from patience import PATIENCE
from support import Api, Member, serving


@dataclass(frozen=True)
class Node:
    """One server of the cluster and its data directory."""

    server: EmbeddedPostgres
    data: Path

    @property
    def dsn(self) -> str:
        return self.server.dsn("postgres")


@dataclass(frozen=True)
class Cluster:
    """A primary and its replicas."""

    primary: Node
    replicas: tuple[Node, ...]

    async def caught_up(self) -> None:
        """Wait until each replica has replayed all that the primary has committed."""
        for node in self.replicas:
            await caught_up(self.primary.dsn, node.dsn)


@contextmanager
def cluster(directory: Path, replicas: int = 2) -> Iterator[Cluster]:
    """Run a primary and its replicas."""
    with ExitStack() as stack:
        primary, data = stack.enter_context(own_server(directory / "primary"))
        nodes = [
            Node(*stack.enter_context(own_standby(primary, directory / f"replica{number}")))
            for number in range(1, replicas + 1)
        ]
        yield Cluster(Node(primary, data), tuple(nodes))


@asynccontextmanager
async def paused(node: Node) -> AsyncIterator[None]:
    """Pause the replay of a replica; it keeps receiving the log."""
    conn = await asyncpg.connect(node.dsn)
    try:
        await conn.execute("SELECT pg_wal_replay_pause()")
        async with asyncio.timeout(PATIENCE):
            while True:
                if await conn.fetchval("SELECT pg_get_wal_replay_pause_state()") == "paused":
                    break
                await asyncio.sleep(0.01)
        yield
    finally:
        await conn.execute("SELECT pg_wal_replay_resume()")
        await conn.close()


@dataclass(frozen=True)
class Service:
    """A started application, and what it records.

    Attributes:
        app: the application.
        api: its API, called by a visitor.
        conn: a connection to the primary.
    """

    app: Quart
    api: Api
    conn: asyncpg.Connection
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    cluster: Cluster

    async def member(self, handle: str) -> Member:
        """Create a signed-in user who calls this service."""
        return await Member.enter(self.api, self.conn, self.app, handle, handle.title())

    async def is_fresh(self, *numbers: int) -> None:
        """Wait until the service knows that these replicas have all that is committed."""
        await self.has_states(dict.fromkeys(numbers or (1, 2), "fresh"))

    async def has_states(self, wanted: dict[int, str]) -> list[dict[str, Any]]:
        """Wait for these states of replicas, by their numbers, and return the replicas."""
        async with asyncio.timeout(PATIENCE):
            while True:
                replicas = await self.replicas()
                shown = {one["number"]: one["state"] for one in replicas}
                if shown | wanted == shown:
                    return replicas
                await asyncio.sleep(0.02)

    async def replicas(self) -> list[dict[str, Any]]:
        """Return the replicas that the service reports."""
        found: list[dict[str, Any]] = (await self.api.get("/api/ready")).get("replicas", [])
        return found

    async def reads_on_a_replica(self) -> None:
        """Read something that is never cached until a replica serves it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                self.choices()
                await self.api.get("/api/instance")
                if any(server == "replica" for server, *_ in self.choices()):
                    return
                await asyncio.sleep(0.01)

    def statements(self) -> list[tuple[str, int | None]]:
        """Return the names of the recorded statements, each with the replica that it ran on."""
        numbers = {
            server_addresses(node.dsn)[0][0]: number
            for number, node in enumerate(self.cluster.replicas, 1)
        }
        return [
            (span.name, numbers.get(span.attributes.get("server.address")))
            for span in self.spans.get_finished_spans()
            if "db.query.summary" in span.attributes
        ]

    def choices(self) -> list[tuple[str, str, int | None]]:
        """Return the choices of a server since the last call: server, reason and replica."""
        spans = [span for span in self.spans.get_finished_spans() if span.name == "choose server"]
        self.spans.clear()
        return [
            (
                str(span.attributes["app.db.server"]),
                str(span.attributes["app.db.reason"]),
                span.attributes.get("app.db.replica"),
            )
            for span in spans
        ]


@asynccontextmanager
async def service(
    settings: Settings, cluster: Cluster, *, wanted: dict[int, str] | None = None, **changes: Any
) -> AsyncIterator[Service]:
    """Start an application that reads from the replicas, and wait until it can.

    Args:
        settings: its settings, apart from the database.
        cluster: the servers.
        wanted: the states of replicas to wait for, by their numbers; default: all are fresh.
        **changes: other settings.
    """
    settings = replace(
        settings,
        connection_url=cluster.primary.dsn,
        read_urls=" ".join(f"{node.dsn}&target_session_attrs=any" for node in cluster.replicas),
    )
    settings = replace(settings, **changes)
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    telemetry = Telemetry(settings, processors=[SimpleSpanProcessor(spans)], readers=[metrics])
    app = create_app(settings, telemetry)
    conn = await asyncpg.connect(cluster.primary.dsn)
    try:
        async with serving(app) as api:
            opened = Service(app, api, conn, spans, metrics, cluster)
            numbers = range(1, len(settings.replica_urls) + 1)
            await opened.has_states(wanted or dict.fromkeys(numbers, "fresh"))
            opened.choices()
            yield opened
    finally:
        await conn.close()
