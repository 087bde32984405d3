"""Likes hang for seconds from time to time; a little later they work again.

Cause: a job of another program exports the likes. It locks the table, and keeps its transaction
open while it uploads the file.

Telemetry: among the slow statements, `db.query.summary` is the one that inserts likes. They are
slow in the same seconds in which the service `cruddur-export` has a span `export likes`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db.pool import connect
from cruddur.db.statements import Connection
from cruddur.settings import Settings
from scenarios.scenario import Scenario
from scenarios.threads import in_thread

HELD_SECONDS = 3.0
PAUSE_SECONDS = 5.0


class StuckLikes(Scenario):
    """A job that holds a lock on the likes.

    Attributes:
        held_seconds: how long it holds the lock.
        pause_seconds: how long it pauses before the next export.
    """

    def __init__(
        self, held_seconds: float = HELD_SECONDS, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        """Set the times of the job."""
        self.held_seconds = held_seconds
        self.pause_seconds = pause_seconds

    @contextmanager
    def surroundings(self, settings: Settings) -> Iterator[Settings]:
        """Run the job."""
        with in_thread(self._exporting(settings)):
            yield settings

    @asynccontextmanager
    async def _exporting(self, settings: Settings) -> AsyncIterator[None]:
        provider = TracerProvider(resource=Resource.create({"service.name": "cruddur-export"}))
        if settings.traces_url:
            exporter = OTLPSpanExporter(endpoint=settings.traces_url)
            provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
        conn = await connect(settings.unpooled_url)
        job = asyncio.create_task(self._export(conn, provider.get_tracer(__name__)))
        try:
            yield
        finally:
            await cancel_tasks(job)
            await conn.close()
            provider.shutdown()

    async def _export(self, conn: Connection, tracer: Tracer) -> None:
        while True:
            await asyncio.sleep(self.pause_seconds)
            with tracer.start_as_current_span("export likes"):
                async with conn.transaction():
                    await conn.execute("LOCK TABLE likes IN SHARE MODE")
                    await conn.fetch("SELECT activity_uuid, user_uuid FROM likes")
                    await asyncio.sleep(self.held_seconds)  # the upload


SCENARIO = StuckLikes
