"""Follows the log of events, one connection per process, and the clock beside it."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from time import monotonic, time_ns
from uuid import UUID

from opentelemetry import context, trace
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cruddur.db import live as db
from cruddur.db.connector import check_writable
from cruddur.db.live import Event, Expiring
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError, listening
from cruddur.db.statements import Connection
from cruddur.live.bus import Bus
from cruddur.live.expiry import NEVER, Clock, Expiries
from cruddur.live.hub import Hub
from cruddur.live.rendering import Reading, counted, ended, parents, read
from cruddur.live.topics import meant_for, opened_in
from cruddur.process.tasks import cancel_tasks
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import Instruments, Operation, operation_scope

logger = logging.getLogger(__name__)

BATCH = 100
"""Events that are told at once: fewer than wait for a reader who keeps up (QUEUE_FRAMES)."""

LOOK_SECONDS = 5.0
"""How often new events are looked for without a word of them, which may be lost."""

HORIZON = timedelta(seconds=60)
"""How far ahead ends are known; read anew when half of it is over."""

_GLANCE_SECONDS = 1.0
"""The clock may be corrected while the soonest end is waited for."""

_BREATH_SECONDS = 0.01
"""Between two batches of ends, as reading is between two of events: for those who keep up to
read the first before the second comes."""

_STATEMENT_SECONDS = 10.0
_RETRY_SECONDS = (0.1, 2.0)

_propagator = TraceContextTextMapPropagator()


class Follower:
    """Tells the hub what happens: events as they are committed, ends as they come.

    While the database is away it tells of the ends that it knows; afterwards, of everything
    that happened meanwhile. While nobody listens it reads nothing and is not woken: who comes
    then begins where the database is (`Hub.open`), and so do we.
    """

    def __init__(self, dsn: str, hub: Hub, bus: Bus, instruments: Instruments) -> None:
        """Take where events are, who is told of them, what wakes us and what measures us."""
        self._dsn = dsn
        self._hub = hub
        self._bus = bus
        self._instruments = instruments
        self._clock = Clock()
        self._since: datetime | None = None
        self._expiries = Expiries(NEVER)
        self._has_ends = asyncio.Event()
        self._recounted: dict[UUID, None] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows inside, and ends every stream at the end."""
        with operation_scope(Operation(self._instruments)):
            tasks = [
                asyncio.create_task(task)
                for task in (self._follow(), _kept_up(self._watch), _kept_up(self._hub.beat))
            ]
        try:
            yield
        finally:
            self._hub.close()
            await cancel_tasks(*tasks)

    async def _follow(self) -> None:
        pause, longest = _RETRY_SECONDS
        while True:
            try:
                async with listening(self._dsn, statement_timeout=_STATEMENT_SECONDS) as conn:
                    conn.add_termination_listener(lambda _: self._hub.awake.set())
                    await self._bus.check(conn)
                    await self._resume(conn)
                    pause = _RETRY_SECONDS[0]
                    while True:
                        await self._silence(conn)
                        async with self._bus.waking(conn, self._hub.awake.set):
                            while self._hub.is_heard:
                                await self._look(conn)
            except (DatabaseUnavailableError, DatabaseTooOldError) as error:
                logger.warning("new events wait for the database: %s", error)
            except Exception as error:
                report(error, "telling of events")
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # no secret
            pause = min(2 * pause, longest)

    async def _resume(self, conn: Connection) -> None:
        """Go on where we were; if that is forgotten, nobody can be told what was missed."""
        if not self._hub.is_heard or self._since != self._hub.since:
            return
        now = await db.select_now(conn)
        position = self._hub.position
        happened_at = await db.select_happened_at(conn, event_id=position)
        if position and happened_at is None and self._since == self._hub.since:
            self._hub.position = now.latest
            self._hub.reset()
        await self._load_ends(conn)

    async def _silence(self, conn: Connection) -> None:
        """Until somebody listens; but a connection that breaks is not kept till then."""
        while not self._hub.is_heard:
            await self._hub.awake.wait()
            self._hub.awake.clear()
            if conn.is_closed():
                raise DatabaseUnavailableError("the connection was closed")

    async def _begin(self, conn: Connection) -> None:
        """Somebody listens where nobody did: what ends is not known, or no longer."""
        since = self._hub.since
        self._expiries = Expiries(since or NEVER)
        self._recounted.clear()
        await self._load_ends(conn)
        self._since = since

    async def _look(self, conn: Connection) -> None:
        """Tell of what is new, and wait for more."""
        if self._since != self._hub.since:
            await self._begin(conn)
        start = time_ns()
        position = self._hub.position
        events = await db.select_events(conn, after=position, limit=BATCH)
        if events:
            reading = await read(conn, events)
            if self._hub.position != position:
                return  # nobody listened any more, and who does now begins elsewhere
            await self._tell(events, reading, start)
        while self._recounted:
            uuids = list(self._recounted)[:BATCH]
            for uuid in uuids:
                del self._recounted[uuid]
            try:
                deliveries = await counted(conn, uuids)
            except BaseException:
                self._recounted.update(dict.fromkeys(uuids))
                raise
            await self._hub.tell(deliveries)
        if self._clock.now() > self._expiries.horizon - HORIZON / 2:
            await self._load_ends(conn)
        if not events:  # a demoted server has no new ones
            await check_writable(conn, self._dsn)
        if len(events) < BATCH:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._hub.awake.wait()
            self._hub.awake.clear()

    async def _tell(self, events: list[Event], reading: Reading, start: int) -> None:
        self._hub.position = events[-1].id
        # First: what was written after a session had ended is not for who held it.
        for uuid in reading.signed_out:
            for topic in (opened_in(uuid), meant_for(uuid)):
                self._hub.end(topic, "signed_out")
        for uuid in reading.gone:
            self._expiries.discard(uuid)
        for item in reading.expiring:
            self._expiries.add(item)
        self._has_ends.set()
        told = await self._hub.tell([delivery for _, delivery in reading.deliveries])
        for (event, _), readers in zip(reading.deliveries, told, strict=True):
            self._measure(event, readers, start)
        if reading.has_mark:
            self._hub.mark()

    def _measure(self, event: Event, told: int, start: int) -> None:
        """The part of this process in the trace of the request that caused the event."""
        delay = (self._clock.now() - event.created_at).total_seconds()
        if histogram := self._instruments.histograms.get("app.event.delay"):
            histogram.record(max(0.0, delay), {"app.event.kind": event.kind})
        if event.traceparent is None:
            return
        cause = _propagator.extract({"traceparent": event.traceparent}, context.Context())
        if trace.get_current_span(cause).get_span_context().is_valid:
            self._instruments.tracer.start_span(
                f"deliver {event.kind}",
                context=cause,
                kind=SpanKind.CONSUMER,
                attributes={
                    "app.event.id": event.id,
                    "app.event.kind": event.kind,
                    "app.event.readers": told,
                },
                start_time=start,
            ).end()

    async def _load_ends(self, conn: Connection) -> None:
        start = monotonic()
        now = await db.select_now(conn)
        self._clock.set(now.clock, monotonic() - start)
        horizon = now.clock + HORIZON
        found = await db.select_expiring(conn, after=self._expiries.told_until, until=horizon)
        self._expiries.load(found, horizon)
        self._has_ends.set()

    async def _watch(self) -> None:
        """Tell of each end at its time, also while the database is away."""
        while True:
            self._has_ends.clear()
            soonest = None
            if self._since == self._hub.since:  # else they are not known yet
                await self._tell_ends(self._expiries.take(self._clock.now()))
                soonest = self._expiries.soonest()
            left = (soonest - self._clock.now()).total_seconds() if soonest else _GLANCE_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _GLANCE_SECONDS)):
                    await self._has_ends.wait()

    async def _tell_ends(self, due: list[Expiring]) -> None:
        for start in range(0, len(due), BATCH):
            await self._hub.tell(ended(due[start : start + BATCH]))
            await asyncio.sleep(_BREATH_SECONDS)
        if uuids := parents(due):
            self._recounted.update(dict.fromkeys(uuids))
            self._hub.awake.set()


async def _kept_up(operation: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled: a failure is reported, and does not end what everybody relies on."""
    while True:
        try:
            await operation()
        except Exception as error:
            report(error, "telling of events")
            await asyncio.sleep(_GLANCE_SECONDS)
