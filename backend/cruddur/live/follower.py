"""Tail the event log on one connection per process, and publish expiries on time."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic, time_ns
from uuid import UUID

from opentelemetry import context, trace
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db import live as db
from cruddur.db.connector import check_writable
from cruddur.db.follows import select_followed
from cruddur.db.live import Event, Expiring
from cruddur.db.pool import DatabaseTooOldError, DatabaseUnavailableError, listening
from cruddur.db.positions import Position
from cruddur.db.statements import Connection
from cruddur.live import frames
from cruddur.live.bus import Bus
from cruddur.live.expiry import NEVER, DatabaseClock, ExpirySchedule
from cruddur.live.hub import Hub, Publication
from cruddur.live.rendering import Rendered, parents, render, render_counts, render_expiries
from cruddur.live.topics import Topic, followed, followed_by, for_user, of_session
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import Instruments, Operation, operation_scope

logger = logging.getLogger(__name__)

BATCH = 100
"""Events per batch: fewer than the queue of a stream holds (QUEUE_FRAMES)."""

POLL_SECONDS = 1.0
"""How often the log is read without a wake-up: one can be lost, and other programs send none."""

HORIZON = timedelta(seconds=60)
"""How far ahead expiries are loaded; they are loaded again after half of this time."""

_CLOCK_SECONDS = 1.0
"""How long to wait for the next expiry before reading the clock again, which may be corrected."""

_BATCH_PAUSE_SECONDS = 0.01
"""Pause between two batches of expiries, so that a fast client can read the first one.

Between two batches of events, reading from the database takes that time."""

_STATEMENT_SECONDS = 10.0
_RETRY_SECONDS = (0.1, 2.0)

_propagator = TraceContextTextMapPropagator()


class Follower:
    """Publishes events to the hub after their commit, and expiries at their time.

    During a database outage it publishes the expiries that it has loaded, and afterwards all events
    of the outage. While no stream is open, it does not read the log. The first stream starts at the
    current position of the log (`Hub.open`), and so does the follower.
    """

    def __init__(
        self, dsn: str, hub: Hub, bus: Bus, instruments: Instruments, *, sends_traces: bool
    ) -> None:
        """Set where events come from and where they go.

        Args:
            dsn: the database of the log.
            hub: publishes the events.
            bus: the source of wake-ups.
            instruments: measure the deliveries.
            sends_traces: whether pages receive the trace context of an event, to continue its
                trace.
        """
        self._dsn = dsn
        self._hub = hub
        self._bus = bus
        self._instruments = instruments
        self._sends_traces = sends_traces
        self._clock = DatabaseClock()
        self._since: datetime | None = None
        self._expiries = ExpirySchedule(NEVER)
        self._expiries_changed = asyncio.Event()
        self._counts_due: dict[UUID, None] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the follower; end all streams at exit."""
        with operation_scope(Operation(self._instruments)):
            tasks = [
                asyncio.create_task(task)
                for task in (
                    self._follow(),
                    _retry(self._watch_expiries),
                    _retry(self._hub.send_heartbeats),
                    _retry(self._bus.send_wake_ups),
                )
            ]
        try:
            yield
        finally:
            self._hub.close()
            await cancel_tasks(*tasks)
            await self._bus.close()

    async def _follow(self) -> None:
        pause, longest = _RETRY_SECONDS
        while True:
            try:
                async with listening(self._dsn, statement_timeout=_STATEMENT_SECONDS) as conn:
                    conn.add_termination_listener(lambda _: self._hub.wake.set())
                    await self._bus.check(conn)
                    await self._resume(conn)
                    pause = _RETRY_SECONDS[0]
                    while True:
                        await self._wait_for_streams(conn)
                        async with self._bus.waking(conn, self._hub.wake.set):
                            while self._hub.has_streams:
                                await self._poll(conn)
            except (DatabaseUnavailableError, DatabaseTooOldError) as error:
                logger.warning("new events wait for the database: %s", error)
            except Exception as error:
                report(error, "publishing events")
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # no secret
            pause = min(2 * pause, longest)

    async def _resume(self, conn: Connection) -> None:
        """Continue after the last published event; reset all streams if the log has lost it."""
        await db.delete_foreign_events(conn)
        if not self._hub.has_streams or self._since != self._hub.since:
            return
        now = await db.select_now(conn)
        for position in self._hub.positions:
            is_known = await db.select_is_known(conn, position)
            if not is_known and self._since == self._hub.since:
                self._hub.reset(now.position)
                await self._read_hidden(conn)  # the log may have lost blocks
                break
        await self._load_expiries(conn)

    async def _read_hidden(self, conn: Connection) -> None:
        """Read again who is hidden from the users of all streams."""
        hidden = await db.select_hidden(conn, viewers=self._hub.users)
        for viewer, authors in hidden.items():
            self._hub.hide(viewer, authors)

    async def _wait_for_streams(self, conn: Connection) -> None:
        """Wait for the first stream, or for the connection to fail."""
        while not self._hub.has_streams:
            await self._hub.wake.wait()
            self._hub.wake.clear()
            if conn.is_closed():
                raise DatabaseUnavailableError("the connection was closed")

    async def _start_schedule(self, conn: Connection) -> None:
        """Load the expiries when the first stream is opened."""
        since = self._hub.since
        self._expiries = ExpirySchedule(since or NEVER)
        self._counts_due.clear()
        await self._load_expiries(conn)
        self._since = since

    async def _poll(self, conn: Connection) -> None:
        """Publish new events, then wait for a wake-up."""
        if self._since != self._hub.since:
            await self._start_schedule(conn)
        start = time_ns()
        latest: Position | None = None
        if self._hub.position == self._hub.goal:
            latest = (await db.select_now(conn)).position
            self._hub.advance_goal(latest)
        position, goal = self._hub.position, self._hub.goal
        events: list[Event] = []
        if goal != position:
            events = await db.select_events(conn, after=position, until=goal, limit=BATCH)
            rendered = await render(conn, events, self._hub.users)
            if self._hub.position != position:
                return  # all streams ended meanwhile, and new ones start at another position
            followed = await self._followed(conn, rendered.followers)
            if self._hub.position != position:
                return
            self._hub.position = events[-1].position if events else goal
            for uuid, topics in followed.items():
                self._hub.change_followed(uuid, topics)
            await self._publish(rendered, start)
        while self._counts_due:
            uuids = list(self._counts_due)[:BATCH]
            for uuid in uuids:
                del self._counts_due[uuid]
            try:
                publications = await render_counts(conn, uuids)
            except BaseException:
                self._counts_due.update(dict.fromkeys(uuids))
                raise
            await self._hub.publish(publications, self._clock.now())
        if self._clock.now() > self._expiries.horizon - HORIZON / 2:
            await self._load_expiries(conn)
        if not events:  # also the case after the server is demoted
            await check_writable(conn, self._dsn)
        if latest is not None and self._hub.position == goal and goal.seen.size >= latest.seen.size:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._hub.wake.wait()
            self._hub.wake.clear()

    async def _followed(self, conn: Connection, users: Iterable[UUID]) -> dict[UUID, list[Topic]]:
        """Read what those users follow now who have a stream of it."""
        uuids = [uuid for uuid in dict.fromkeys(users) if self._hub.has(followed_by(uuid))]
        if not uuids:
            return {}
        found = await select_followed(conn, uuids=uuids)
        return {uuid: followed(what.users, what.tags) for uuid, what in found.items()}

    async def _publish(self, rendered: Rendered, start: int) -> None:
        for viewer, authors in rendered.hidden.items():
            self._hub.hide(viewer, authors)
        # End these streams first: they must not get events after the end of their session.
        for uuid in rendered.signed_out:
            for topic in (of_session(uuid), for_user(uuid)):
                self._hub.end(topic, "signed_out")
        for uuid in rendered.gone:
            self._expiries.discard(uuid)
        for item in rendered.expiring:
            self._expiries.add(item)
        self._expiries_changed.set()
        published = [
            (event, publication)
            for event, publication in rendered.publications
            # Few streams are about reposts.
            if event.kind != "repost" or any(map(self._hub.has, publication.topics))
        ]
        deliveries = [self._start_delivery(event, start) for event, _ in published]
        counts = await self._hub.publish(
            [
                self._traced(publication, delivery)
                for (_, publication), delivery in zip(published, deliveries, strict=True)
            ],
            self._clock.now(),
        )
        for (event, _), delivery, streams in zip(published, deliveries, counts, strict=True):
            self._end_delivery(event, delivery, streams)
        if rendered.has_mark:
            self._hub.send_position()

    def _start_delivery(self, event: Event, start: int) -> Span:
        """Start a span in the trace of the request that caused the event, if there is one."""
        if event.traceparent is None:
            return INVALID_SPAN
        cause = _propagator.extract({"traceparent": event.traceparent}, context.Context())
        if not trace.get_current_span(cause).get_span_context().is_valid:
            return INVALID_SPAN
        return self._instruments.tracer.start_span(
            f"deliver {event.kind}", context=cause, kind=SpanKind.CONSUMER, start_time=start
        )

    def _traced(self, publication: Publication, delivery: Span) -> Publication:
        """Add the trace context of its delivery to a publication, if pages continue traces."""
        ids = delivery.get_span_context()
        if not self._sends_traces or not ids.is_valid:
            return publication
        frame = frames.with_trace(publication.frame, ids.trace_id, ids.span_id)
        variants = tuple(self._traced(variant, delivery) for variant in publication.variants)
        return replace(publication, frame=frame, variants=variants)

    def _end_delivery(self, event: Event, delivery: Span, streams: int) -> None:
        """Record the delay, and end the span."""
        delay = (self._clock.now() - event.created_at).total_seconds()
        if histogram := self._instruments.histograms.get("app.event.delay"):
            histogram.record(max(0.0, delay), {"app.event.kind": event.kind})
        delivery.set_attributes(
            {
                "app.event.id": event.id,
                "app.event.kind": event.kind,
                "app.event.readers": streams,
            }
        )
        delivery.end()

    async def _load_expiries(self, conn: Connection) -> None:
        start = monotonic()
        now = await db.select_now(conn)
        self._clock.set(now.clock, monotonic() - start)
        horizon = now.clock + HORIZON
        expiring = await db.select_expiring(
            conn, after=self._expiries.published_until, until=horizon
        )
        self._expiries.load(expiring, horizon)
        self._expiries_changed.set()

    async def _watch_expiries(self) -> None:
        """Publish each expiry at its time, also during a database outage."""
        while True:
            self._expiries_changed.clear()
            next_expiry = None
            if self._since == self._hub.since:  # otherwise the expiries are not loaded yet
                await self._publish_expiries(self._expiries.pop_due(self._clock.now()))
                next_expiry = self._expiries.next_expiry()
            seconds = _CLOCK_SECONDS
            if next_expiry is not None:
                seconds = min(seconds, (next_expiry - self._clock.now()).total_seconds())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._expiries_changed.wait()

    async def _publish_expiries(self, due: list[Expiring]) -> None:
        for start in range(0, len(due), BATCH):
            await self._hub.publish(render_expiries(due[start : start + BATCH]), self._clock.now())
            await asyncio.sleep(_BATCH_PAUSE_SECONDS)
        if uuids := parents(due):
            self._counts_due.update(dict.fromkeys(uuids))
            self._hub.wake.set()


async def _retry(operation: Callable[[], Awaitable[None]]) -> None:
    """Run an operation until cancelled, and again after each failure."""
    while True:
        try:
            await operation()
        except Exception as error:
            report(error, "publishing events")
            await asyncio.sleep(_CLOCK_SECONDS)
