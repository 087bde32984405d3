"""Read from streaming replicas, without showing less or more than the primary would.

A replica serves a read only if all of this holds (docs/decisions/0030):

1. It has replayed everything that the primary had committed when the request arrived. The primary
   is asked after the arrival, once for all requests that wait (`PageChanges.read`).
2. It replays the log of this primary: it has a mark, a row that was written after the primary
   started.
3. Its clock is not behind what the primary's was after the arrival, and not noticeably ahead.

Otherwise, and if the replica fails, the primary serves the read.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Literal, TypeAlias, TypeVar

import asyncpg
from opentelemetry.util.types import AttributeValue

from cruddur.db.connector import Prepared, is_direct
from cruddur.db.page_changes import PageChanges, PrimaryState
from cruddur.db.pool import (
    Database,
    DatabaseUnavailableError,
    NoFreeConnectionError,
    RequestTimeError,
    condition,
    connect,
    connection_errors,
    describe,
)
from cruddur.db.shared_reading import SharedReading
from cruddur.db.statements import Connection, load
from cruddur.settings import OperatorError
from cruddur.settings.database_url import describe_server, server_addresses
from cruddur.telemetry.operation import (
    Instruments,
    Operation,
    current_operation,
    operation_scope,
    span,
)
from cruddur.telemetry.statement_spans import statements_on

logger = logging.getLogger(__name__)

T = TypeVar("T")

VARIABLE = "CRUDDUR_READ_URLS"

POLL_SECONDS = 1.0
"""Interval at which each worker reads the state of each replica. Reads that need a later state read
it again."""

POLL_TIMEOUT = 2.0
"""How long a replica may take to report its state."""

REFRESH_SECONDS = 0.25
"""How long a read waits for replicas to report a later state."""

RETRY_SECONDS, MAX_RETRY_SECONDS = 0.5, 30.0
"""The wait before a failed replica is tried again doubles from the first to the second."""

MARK_SECONDS = 300.0
"""After that, a mark that a replica does not have is replaced: the sweeper deletes old events."""

UNVERIFIED_SECONDS = 10.0
"""After that, the log says that a replica does not have the mark."""

MAX_CLOCK_WAIT = 0.01
"""How long a read waits for the clock of a replica that is behind the primary's."""

MAX_CLOCK_LEAD = 0.05
"""By how many seconds the clock of a replica may be ahead of the primary's."""

_CLOCK_READINGS = 4

_STATE = load("replicas.state")
_SERVER = load("replicas.server")
_MARK = load("replicas.mark")

State: TypeAlias = Literal["fresh", "behind", "clock", "unverified", "busy", "unavailable"]
"""Whether a replica can serve reads; otherwise why it cannot."""

Reason: TypeAlias = State | Literal["conflict", "failed"]
"""`fresh` for a read on a replica; otherwise why the primary serves it."""

_TIMEOUT = "57014"
"""The SQLSTATE of a statement that took too long. It would take as long on the primary."""

_CONFLICTS = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""What a statement raises that the replay of the log has canceled."""


class UnusableReplicaError(OperatorError):
    """A URL leads to a server that is no replica, or not to one server."""


class ReplicaFailedError(Exception):
    """A replica could not complete a read; the primary can."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class _OtherServerError(ConnectionError):
    """A connection leads to another server than the one whose state is known."""

    def __init__(self) -> None:
        super().__init__("its connections lead to different servers, or it was restarted")


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that was written on the primary after its start.

    Attributes:
        xid, created_at: those of the event.
        started_at: the start of the primary.
        written: when it was written, in seconds of the monotonic clock.
    """

    xid: int
    created_at: datetime
    started_at: datetime
    written: float


@dataclass(frozen=True, slots=True)
class _ClockReading:
    """A time of a server's clock, in seconds since 1970.

    It was read between two moments of the monotonic clock.
    """

    time: float
    sent: float
    received: float


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """What operators see of a replica.

    Attributes:
        number: its place in CRUDDUR_READ_URLS, from 1.
        state: `fresh`, or why it does not serve reads now.
        lag_bytes: what it has not replayed of the primary's log; None if that is not known.
    """

    number: int
    state: State
    lag_bytes: int | None


class Replica:
    """One replica: its pool of connections, and its state, which a connection of its own reads."""

    def __init__(
        self, number: int, url: str, *, pool_size: int, statement_timeout: float, prepared: Prepared
    ) -> None:
        """Set up a replica; `run` connects.

        Args:
            number: its place in CRUDDUR_READ_URLS, from 1.
            url: a `replica_url`.
            pool_size, statement_timeout, prepared: see `Database`.
        """
        self.number = number
        self._url = url
        self._name = describe_server(url)
        self._database = Database(
            url,
            pool_size=pool_size,
            statement_timeout=statement_timeout,
            prepared=prepared,
            variable=VARIABLE,
            accept=self._accept,
            min_size=0,  # a replica that is away is tried again by `run` alone
            waits=False,  # the primary serves the read
        )
        self._is_open = False
        self._attributes = _server_attributes(url)
        self._states = SharedReading(self._read_state)
        self._attempts: set[asyncio.Timeout] = set()
        self._failed = asyncio.Event()
        self._conn: Connection | None = None
        self._server: datetime | None = None
        self._replayed: int | None = None
        self._clocks: deque[_ClockReading] = deque(maxlen=_CLOCK_READINGS)
        self._mark: Mark | None = None
        self._verified_for: datetime | None = None
        self._problem: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether it has reported a state, and did not fail since."""
        return self._replayed is not None

    def lag_bytes(self, primary: PrimaryState | None) -> int | None:
        """Return what it has not replayed of the primary's log, or None if that is not known."""
        if self._replayed is None or primary is None:
            return None
        return max(0, primary.wal - self._replayed)

    def state(self, primary: PrimaryState) -> State:
        """Return `fresh` if reads that need this state of the primary may begin now, or soon."""
        if self._replayed is None or self._conn is None or self._conn.is_closed():
            return "unavailable"
        if self._verified_for != primary.started_at:
            return "unverified"
        if self._replayed < primary.wal:
            return "behind"
        if self.seconds_behind(primary) > MAX_CLOCK_WAIT or self._lead(primary) > MAX_CLOCK_LEAD:
            return "clock"
        used, _, allowed = self._database.usage()
        return "fresh" if used < allowed else "busy"

    def seconds_behind(self, primary: PrimaryState) -> float:
        """Return by how much its clock may be behind what the primary's was."""
        now = monotonic()
        return primary.clock - max(clock.time + now - clock.received for clock in self._clocks)

    def _lead(self, primary: PrimaryState) -> float:
        """Return by how much its clock is ahead of the primary's at least."""
        clock = self._clocks[-1]
        return clock.time - clock.received - (primary.clock - primary.began)

    def verify(self, mark: Mark) -> None:
        """Look for another mark from now on."""
        self._mark = mark

    def is_verified(self, primary: PrimaryState) -> bool:
        """Whether it is known to replay the log of the primary; True if nothing is known of it."""
        return not self.is_available or self._verified_for == primary.started_at

    async def refresh(self) -> None:
        """Read its state once more. A failure sets it aside."""
        with contextlib.suppress(DatabaseUnavailableError, UnusableReplicaError):
            await self._states.since(monotonic())

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Call a function with one of its connections.

        Raises:
            ReplicaFailedError: the replica failed, or has canceled a statement.
            Exception: any exception of the function.
        """
        is_connected = False
        try:
            async with asyncio.timeout(None) as limit:  # expires when the replica is set aside
                self._attempts.add(limit)
                try:
                    async with self._database.connection(POLL_TIMEOUT) as conn:
                        is_connected = True
                        with statements_on(self._attributes):
                            return await work(conn)
                finally:
                    self._attempts.discard(limit)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise ReplicaFailedError("failed") from error
        except _CONFLICTS as error:
            raise ReplicaFailedError("conflict") from error
        except NoFreeConnectionError as error:
            raise ReplicaFailedError("busy") from error
        except RequestTimeError:
            raise
        except DatabaseUnavailableError as error:
            if condition(error) == _TIMEOUT:
                raise
            if not is_connected:
                self._set_aside(str(error))
            raise ReplicaFailedError("failed") from error

    async def run(self) -> None:
        """Connect and read its state at intervals, until cancelled."""
        delay = RETRY_SECONDS
        try:
            while True:
                started = monotonic()
                try:
                    await self._connect()
                    while not await _is_set(self._failed, POLL_SECONDS):
                        await self.refresh()
                except (OperatorError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    self._set_aside(describe(error))
                if monotonic() - started > MAX_RETRY_SECONDS:  # it was available in between
                    delay = RETRY_SECONDS
                await asyncio.sleep(delay)
                delay = min(2 * delay, MAX_RETRY_SECONDS)
        finally:
            if self._conn is not None:
                self._conn.terminate()
            await self._database.close()

    async def _connect(self) -> None:
        """Connect, and read the first state.

        Raises:
            DatabaseUnavailableError, DatabaseTooOldError: see `connect`.
            UnusableReplicaError: the server is no replica, or is behind a pooler.
        """
        conn = self._conn = await connect(
            self._url, statement_timeout=POLL_TIMEOUT, variables=VARIABLE
        )
        self._failed.clear()
        with connection_errors(conn):
            if not await is_direct(conn):
                raise self._unusable(
                    "is a pooler, which may lead to another server each time: name the replica"
                )
            [row] = await _SERVER.rows(conn)
            self._server = row["started_at"]
        if self._is_open:
            await self._database.expire()  # connections to a server of the same name before it
        else:
            await self._database.open()
            self._is_open = True
        await self._states.since(monotonic())

    async def _accept(self, conn: Connection) -> None:
        """Raise _OtherServerError unless what is known of the server holds for a new connection."""
        [row] = await _SERVER.rows(conn)
        if row["started_at"] != self._server or (row["replayed"] or 0) < (self._replayed or 0):
            raise _OtherServerError

    async def _read_state(self) -> float:
        conn, mark = self._conn, self._mark
        if conn is None:
            raise DatabaseUnavailableError("the replica is not connected")
        try:
            async with asyncio.timeout(POLL_TIMEOUT):
                with connection_errors(conn):
                    began = monotonic()
                    [row] = await _STATE.rows(
                        conn,
                        xid=mark and mark.xid,
                        created_at=mark and mark.created_at,
                    )
                    received = monotonic()
        except TimeoutError:
            self._set_aside(f"no response in {POLL_TIMEOUT:g} s")
            raise DatabaseUnavailableError("the replica does not respond") from None
        except DatabaseUnavailableError as error:
            self._set_aside(str(error))
            raise
        except asyncpg.PostgresError as error:  # such as a missing table
            raise self._unusable(f"is not a replica of the primary: {describe(error)}") from error
        if not row["is_replica"]:
            raise self._unusable("is not a replica: it accepts writes")
        self._note_clock(_ClockReading(row["clock"].timestamp(), began, received))
        if row["has_mark"] and mark is not None:
            if self._verified_for != mark.started_at:
                logger.info("reads go to the replica at %s", self._name)
                self._problem = None
            self._verified_for = mark.started_at
        self._replayed = row["replayed"]
        return began

    def _note_clock(self, clock: _ClockReading) -> None:
        if any(
            clock.time - clock.sent < earlier.time - earlier.received for earlier in self._clocks
        ):
            self._clocks.clear()  # it was set back
        self._clocks.append(clock)

    def _unusable(self, problem: str) -> UnusableReplicaError:
        """Set it aside because of its URL, and return the error."""
        error = UnusableReplicaError(f"{VARIABLE}: {self._name} {problem}")
        self._set_aside(str(error))
        return error

    def _set_aside(self, problem: str) -> None:
        """Use it for no further read, cancel those in progress, and log why."""
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
        self._replayed = self._verified_for = None
        self._clocks.clear()
        self._failed.set()
        now = asyncio.get_running_loop().time()
        for limit in self._attempts:
            limit.reschedule(now)
        self._attempts.clear()
        self.log_problem(problem)

    def log_problem(self, problem: str) -> None:
        """Log why no reads go to the replica, unless that was the last thing logged about it."""
        if self._problem != problem:
            self._problem = problem
            logger.warning("no reads go to the replica at %s: %s", self._name, problem)


class Reader:
    """Chooses the server for each read."""

    def __init__(
        self,
        primary: Database,
        changes: PageChanges,
        replicas: Sequence[Replica],
        instruments: Instruments,
    ) -> None:
        """Set up a reader; without replicas, the primary serves every read.

        Args:
            primary: the primary.
            changes: what has changed on pages; its readings also show the end of the log.
            replicas: the replicas.
            instruments: measure the background work.
        """
        self._primary = primary
        self._changes = changes
        self._replicas = replicas
        self._instruments = instruments
        self._mark: Mark | None = None
        self._turn = 0

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Call a function with a connection for reading, perhaps to a replica.

        If the replica fails, the function is called again, with a connection to the primary. So it
        must have no effect.

        Raises:
            DatabaseUnavailableError: see `Database.connection`.
            Exception: any exception of the function.
        """
        if self._replicas:
            replica = await self._choose()
            if replica is not None:
                try:
                    return await replica.read(work)
                except ReplicaFailedError as error:
                    with span("choose server") as choice:
                        choice.set_attributes(_record(None, error.reason))
        async with self._primary.connection() as conn:
            return await work(conn)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the state of the replicas up to date inside the block."""
        with operation_scope(Operation(self._instruments, is_quiet=True)):
            jobs = [replica.run() for replica in self._replicas]
            tasks = [asyncio.create_task(job) for job in (*jobs, *([self._run()] if jobs else ()))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def statuses(self) -> list[ReplicaStatus]:
        """Return the status of each replica."""
        primary = self._changes.primary
        return [
            ReplicaStatus(
                replica.number,
                "unavailable" if primary is None else replica.state(primary),
                replica.lag_bytes(primary),
            )
            for replica in self._replicas
        ]

    def lags(self) -> dict[int, int]:
        """Return the known lags in bytes, by the numbers of the replicas."""
        return {
            status.number: status.lag_bytes
            for status in self.statuses()
            if status.lag_bytes is not None
        }

    async def _choose(self) -> Replica | None:
        """Return a replica that may serve the current request; None for the primary."""
        with span("choose server") as choice:
            replica, reason = await self._find()
            attributes = _record(replica, reason)
            if replica is not None:
                attributes["app.db.replica"] = replica.number
            lags = [replica.lag_bytes(self._changes.primary) for replica in self._replicas]
            if known := [lag for lag in lags if lag is not None]:
                attributes["app.db.replica.lag"] = min(known)
            choice.set_attributes(attributes)
        return replica

    async def _find(self) -> tuple[Replica | None, Reason]:
        operation = current_operation()
        started = operation.started if operation.scope else monotonic()
        candidates = [replica for replica in self._replicas if replica.is_available]
        if not candidates:
            return None, "unavailable"
        with contextlib.suppress(DatabaseUnavailableError):  # then the read fails in the same way
            await self._changes.read(since=started)
        primary = self._changes.primary
        if primary is None or primary.began < started:
            return None, "unverified"
        if not any(replica.state(primary) == "fresh" for replica in candidates):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await asyncio.gather(*(replica.refresh() for replica in candidates))
        states = [replica.state(primary) for replica in candidates]
        fresh = [r for r, state in zip(candidates, states, strict=True) if state == "fresh"]
        if not fresh:
            return None, states[0]
        self._turn += 1
        replica = fresh[self._turn % len(fresh)]
        if (seconds := replica.seconds_behind(primary)) > 0:
            await asyncio.sleep(seconds)
            if (state := replica.state(primary)) != "fresh":
                return None, state
            if replica.seconds_behind(primary) > 0:
                return None, "clock"
        return replica, "fresh"

    async def _run(self) -> None:
        """Read the end of the primary's log at intervals, and write marks, until cancelled."""
        while True:
            with contextlib.suppress(DatabaseUnavailableError):
                await self._changes.read(since=monotonic())
                if self._needs_mark():
                    await self._write_mark()
                self._log_unverified()
            await asyncio.sleep(POLL_SECONDS)

    def _needs_mark(self) -> bool:
        primary, mark = self._changes.primary, self._mark
        if primary is None or all(replica.is_verified(primary) for replica in self._replicas):
            return False
        return (
            mark is None
            or mark.started_at != primary.started_at
            or mark.written < monotonic() - MARK_SECONDS
        )

    def _log_unverified(self) -> None:
        primary, mark = self._changes.primary, self._mark
        if primary is None or mark is None or mark.written > monotonic() - UNVERIFIED_SECONDS:
            return
        for replica in self._replicas:
            if not replica.is_verified(primary):
                replica.log_problem(
                    f"it has not replayed what the primary wrote {UNVERIFIED_SECONDS:g} s ago, or"
                    " replays the log of another primary"
                )

    async def _write_mark(self) -> None:
        async with self._primary.connection() as conn:
            [row] = await _MARK.rows(conn)
        mark = Mark(row["xid"], row["created_at"], row["started_at"], monotonic())
        self._mark = mark
        for replica in self._replicas:
            replica.verify(mark)


def _record(replica: Replica | None, reason: Reason) -> dict[str, AttributeValue]:
    """Count a read, or an attempt, and return the attributes that describe it."""
    attributes: dict[str, AttributeValue] = {
        "app.db.server": "primary" if replica is None else "replica",
        "app.db.reason": reason,
    }
    current_operation().count("app.db.reads", attributes=attributes)
    return attributes


def _server_attributes(url: str) -> dict[str, AttributeValue]:
    [(host, port)] = server_addresses(url) or [("", 0)]
    if not host or host.startswith("/"):  # a socket has no port
        return {"server.address": host} if host else {}
    return {"server.address": host, "server.port": port}


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most for some seconds, and return whether it is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def replicas(
    urls: Sequence[str], *, pool_size: int, statement_timeout: float, prepared: Prepared
) -> list[Replica]:
    """Return the replicas with these URLs; see `Replica`."""
    return [
        Replica(
            number,
            url,
            pool_size=pool_size,
            statement_timeout=statement_timeout,
            prepared=prepared,
        )
        for number, url in enumerate(urls, 1)
    ]
