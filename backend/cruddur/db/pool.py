"""The connection pool and the three ways to use it: `connection()` for reading, `writing()` for
one statement that writes, `transaction()` for several."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from cruddur.db.connector import Connector, Prepared, ReadOnlyServerError, is_direct
from cruddur.db.statements import Connection
from cruddur.settings import OperatorError
from cruddur.settings.database_url import describe_server
from cruddur.telemetry.operation import current_operation
from cruddur.telemetry.pool_wait import record_wait
from cruddur.telemetry.statement_spans import measured, traceparent

OLDEST_SERVER = 180000
"""PostgreSQL 18, in the form of `server_version_num`: the first with uuidv7()."""

ACQUIRE_TIMEOUT = 5.0
"""Seconds that a request waits for a connection before it gets a 503."""

SWITCH_SECONDS = 4.0
"""How long requests wait for a server that accepts writes, from when none could be used first. A
planned switch-over takes less. In a longer outage, requests fail at once."""

_RECONNECT_SECONDS = 0.1
"""Pause before each further attempt to connect."""

_ROLLBACK_SECONDS = 2.0

_RESPONSE_SECONDS = 0.25
"""Part of a GET request's time that is reserved for its response."""

_PROBE, _PROBE_SECONDS = "cruddur_probe", 1.0

_BEGIN, _COMMIT, _ROLLBACK = (
    {"db.operation.name": verb, "db.query.summary": verb}
    for verb in ("BEGIN", "COMMIT", "ROLLBACK")
)


class DatabaseUnavailableError(OperatorError):
    """The database cannot be reached, or is in a temporary condition."""


class ConnectionLostError(DatabaseUnavailableError):
    """The connection broke during a statement, or its server shut down or accepts no writes."""


class NoFreeConnectionError(DatabaseUnavailableError):
    """All connections of the pool were in use until the timeout."""


class RequestTimeError(DatabaseUnavailableError):
    """A GET request has exceeded its time limit for the database."""


class DeletedMeanwhileError(Exception):
    """A row was deleted between its check and the write that refers to it."""


class DatabaseTooOldError(OperatorError):
    """The server is older than the SQL statements require."""


# What the driver raises while it connects: the server is unreachable, or rejects the connection.
_UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

READ_ONLY = "25006"
"""The SQLSTATE of a write to a server that accepts none, such as a demoted primary."""

# SQLSTATEs (or classes) of temporary conditions of the server, not of the statement: the same
# request succeeds after the condition has passed or an operator has ended it.
# https://www.postgresql.org/docs/18/errcodes-appendix.html
_LOST = (
    "08",  # the connection failed
    READ_ONLY,
    "57P",  # the server shuts down, starts up or crashed
)
_CONDITIONS = (
    *_LOST,
    "25P03",  # a transaction was idle for too long, and the server closed the connection
    "25P04",  # a transaction took too long, and the server closed the connection
    "53",  # insufficient resources: disk full, out of memory, too many connections
    "55P03",  # a lock could not be acquired in time
    "57014",  # a statement took too long, or an operator canceled it
    "58",  # an error outside PostgreSQL, such as of its files
)


# Exceptions that can interrupt a statement. Errors of our own code occur between statements.
_INTERRUPTIONS = (
    asyncio.CancelledError,
    asyncpg.InterfaceError,
    asyncpg.PostgresError,
    DatabaseUnavailableError,
)


@dataclass(slots=True)
class _Outage:
    """A time in which no server can be used.

    Attributes:
        failure: why the latest attempt to connect failed.
        began: its first failure, on the monotonic clock.
        tried_at: the start of the latest attempt.
    """

    failure: Exception
    began: float = field(default_factory=time.monotonic)
    tried_at: float = field(default_factory=time.monotonic)

    @property
    def is_long(self) -> bool:
        """Whether it lasts longer than a switch-over."""
        return time.monotonic() - self.began >= SWITCH_SECONDS


class Database:
    """A pool of connections to one database.

    Connections carry no session state (LISTEN has a connection of its own), so releasing one
    costs no round trip, unless a statement was interrupted.

    Attributes:
        committed: set after each commit, for those who wait for one and clear it.
    """

    def __init__(
        self,
        dsn: str,
        *,
        pool_size: int,
        statement_timeout: float,
        prepared: Prepared = "auto",
        variable: str = "CONNECTION_URL",
        accept: Callable[[Connection], Awaitable[None]] | None = None,
        min_size: int = 1,
        waits: bool = True,
    ) -> None:
        """Create the pool's configuration; `open` connects.

        Args:
            dsn: the server, or several, and the database.
            pool_size: the largest number of connections.
            statement_timeout: seconds that one statement may take.
            prepared: whether statements are prepared; `auto`: not through a pooler.
            variable: the variable that sets the DSN, for messages.
            accept: raises a ConnectionError for a new connection that must not be used.
            min_size: the number of connections that stay open and are opened again when they break.
            waits: whether a request waits if the server cannot be reached; see `connection`.
        """
        self._waits = waits
        self._dsn = dsn
        self._variable = variable
        self._min_size = min_size
        self._pool_size = pool_size
        self._statement_timeout = statement_timeout
        self.committed = asyncio.Event()
        self._connector = Connector(
            dsn,
            {
                "jit": "off",  # short statements: compiling one costs more than running it
                "statement_timeout": str(int(statement_timeout * 1000)),
                "idle_in_transaction_session_timeout": "30000",
            },
            statement_timeout,
            prepared,
            accept,
        )
        # The pool itself is not fair: a request that arrives when a connection is released gets it
        # before the request that has waited longest, which is then queued behind all others.
        self._turns = asyncio.Semaphore(pool_size)
        self._request_seconds = ACQUIRE_TIMEOUT + statement_timeout - _RESPONSE_SECONDS
        self._outage: _Outage | None = None
        self._reconnecting = asyncio.Lock()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self) -> None:
        """Connect once, check the server's version and keep the connection.

        Raises:
            DatabaseUnavailableError: the server does not respond, rejects the connection or accepts
                no writes.
            DatabaseTooOldError: the server is older than PostgreSQL 18.
        """
        try:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=self._min_size,
                max_size=self._pool_size,
                max_inactive_connection_lifetime=60,
                timeout=ACQUIRE_TIMEOUT,
                connect=self._connector.open,
                reset=_skip_reset,
            )
        except Exception as error:  # the URL, the PG* variables or the server are invalid
            raise self._cannot_connect(error) from error
        async with self.connection() as conn:
            await check_version(conn)

    async def close(self) -> None:
        """Close the pool, waiting a few seconds for connections in use."""
        if self._pool is None:
            return
        pool, self._pool = self._pool, None
        try:
            await asyncio.wait_for(pool.close(), timeout=3)
        except TimeoutError:
            pool.terminate()

    async def expire(self) -> None:
        """Replace each open connection before its next use."""
        if self._pool is not None:
            await self._pool.expire_connections()

    @asynccontextmanager
    async def connection(self, acquire_timeout: float | None = None) -> AsyncIterator[Connection]:
        """Yield a connection for reading: every statement is its own transaction.

        All database work of a GET request ends within the acquire timeout plus the statement
        timeout, counted from the start of the request. While no server can be used, the request
        waits for one, until SWITCH_SECONDS after the first failure.

        Args:
            acquire_timeout: seconds to wait for a connection; default: ACQUIRE_TIMEOUT.

        Raises:
            NoFreeConnectionError: all connections are in use.
            RequestTimeError: the time of a GET request is up.
            ConnectionLostError: the connection broke, or its server shut down or accepts no writes.
            DatabaseUnavailableError: the server cannot be reached or accepts no writes.
        """
        if self._pool is None:
            raise DatabaseUnavailableError("the database is not open")
        pool = self._pool
        acquire_timeout = ACQUIRE_TIMEOUT if acquire_timeout is None else acquire_timeout
        try:
            async with asyncio.timeout(self._seconds_left()) as limit:
                conn = await self._acquire(pool, acquire_timeout)
                acquired = time.monotonic()
                try:
                    with connection_errors(conn):
                        yield conn
                except _INTERRUPTIONS as error:
                    if limit.expired():
                        conn.terminate()  # no time is left to recover it
                        # A server that responds would have canceled the statement.
                        is_unusable = time.monotonic() - acquired > self._statement_timeout
                    else:
                        is_lost = isinstance(error, ConnectionLostError)
                        is_unusable = is_lost or not await _recover(conn)
                    if is_unusable:
                        await self._discard_all(pool, conn)
                    raise
                finally:
                    try:
                        # If the server is silent, the pool closes the connection. What the caller
                        # has done with it was answered, so this is no error of the caller.
                        with contextlib.suppress(TimeoutError):
                            await pool.release(conn, timeout=_ROLLBACK_SECONDS)
                    finally:
                        self._turns.release()
        except TimeoutError:
            raise RequestTimeError(
                f"the request has used up its {self._request_seconds:g} s for the database"
            ) from None

    async def _acquire(self, pool: "asyncpg.Pool[asyncpg.Record]", acquire_timeout: float) -> Any:
        start = time.time_ns()
        has_turn = False
        failure: Exception | None = None
        try:
            async with asyncio.timeout(acquire_timeout):
                has_turn = await self._turns.acquire()
                try:
                    while True:
                        conn = await self._connect(pool)
                        if not self._connector.is_demoted(conn):
                            current_operation().database_server = self._connector.server
                            return conn
                        # New connections go to a writable server.
                        await self._discard_all(pool, conn)
                except BaseException:
                    self._turns.release()
                    raise
        except TimeoutError as error:
            failure = error if self._outage is None else self._outage.failure
            if not has_turn and self._outage is None:
                raise NoFreeConnectionError(
                    f"all {self._pool_size} connections of the pool were in use for"
                    f" {acquire_timeout:g} s"
                ) from None
            raise self._cannot_connect(failure) from failure
        except DatabaseUnavailableError as error:
            failure = error.__cause__ if isinstance(error.__cause__, Exception) else error
            raise
        finally:
            record_wait(start, failure)

    async def _connect(self, pool: "asyncpg.Pool[asyncpg.Record]") -> Any:
        """Acquire a connection of the pool. While no server can be used, wait for one.

        Meanwhile, one request at a time connects, and those that wait share its failure: each
        attempt costs a sign-in at every standby.
        """
        while True:
            asked = time.monotonic()
            try:
                if self._outage is None:
                    # The timeout of the pool itself creates a task on Python 3.11.
                    return await pool.acquire()
                async with self._reconnecting:
                    if self._outage is not None and self._outage.tried_at < asked:
                        await asyncio.sleep(_RECONNECT_SECONDS)
                        self._outage.tried_at = time.monotonic()
                        conn = await pool.acquire()
                        self._outage = None
                        return conn
            except _UNREACHABLE as error:
                if not self._waits or not _is_outage(error):
                    raise self._cannot_connect(error) from error
                if self._outage is None:
                    self._outage = _Outage(error)
                self._outage.failure = error
            if self._outage is not None and self._outage.is_long:
                raise self._cannot_connect(self._outage.failure) from self._outage.failure

    def _cannot_connect(self, error: Exception) -> DatabaseUnavailableError:
        return _cannot_connect(self._dsn, self._variable, error)

    @staticmethod
    async def _discard_all(pool: "asyncpg.Pool[asyncpg.Record]", conn: Any) -> None:
        """Close a connection to an unusable server, and expire all others before their next use."""
        await pool.expire_connections()
        _terminate(conn)
        await pool.release(conn)

    def _seconds_left(self) -> float | None:
        """Return the seconds until a GET request must be answered; None for all other work."""
        operation = current_operation()
        if operation.scope.get("method") not in {"GET", "HEAD"}:
            return None
        return max(0.0, operation.started + self._request_seconds - time.monotonic())

    def usage(self) -> tuple[int, int, int]:
        """Return the numbers of used, idle and allowed connections."""
        if self._pool is None:
            return 0, 0, self._pool_size
        idle = self._pool.get_idle_size()
        return self._pool.get_size() - idle, idle, self._pool_size

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """Yield a connection for one statement that writes.

        The statement is its own transaction, so its commit costs no round trip. Several that are
        committed together need a `transaction()`.

        Raises:
            DatabaseUnavailableError, DeletedMeanwhileError: see `transaction`.
        """
        try:
            async with self.connection() as conn:
                with _concurrency_errors():
                    yield conn
        finally:
            # Also after a cancellation or an error: the statement may have been committed.
            self.committed.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Yield a connection in a transaction: committed at the end, rolled back on any error.

        Raises:
            DatabaseUnavailableError: see `connection`; or the server aborted this transaction
                because of a deadlock or a serialization failure.
            DeletedMeanwhileError: a row that a new one refers to was deleted.
        """
        async with self.connection() as conn:
            with _concurrency_errors():
                async with _transaction(conn, self._connector.transaction_settings):
                    yield conn
        self.committed.set()


@asynccontextmanager
async def _transaction(conn: Connection, settings_sql: str) -> AsyncIterator[None]:
    """Run a transaction with spans for BEGIN, COMMIT and ROLLBACK.

    Args:
        conn: the connection.
        settings_sql: SQL that is appended to BEGIN to set parameters.
    """
    with current_operation().committing():
        try:
            # Inside `try`: after a cancellation, the state of the server is unknown.
            await measured(_BEGIN, conn.execute(_begin() + settings_sql))
            yield
        except BaseException:
            with contextlib.suppress(Exception):  # keep the exception that caused the rollback
                await measured(_ROLLBACK, conn.execute("ROLLBACK"))
            raise
        await measured(_COMMIT, conn.execute("COMMIT"))


def _begin() -> str:
    """Return the SQL that begins a transaction and sets the trace of its events."""
    parent = traceparent()
    return f"BEGIN; SET LOCAL cruddur.traceparent = '{parent}'" if parent else "BEGIN"


@contextmanager
def _concurrency_errors() -> Iterator[None]:
    """Convert the errors that concurrent transactions can cause; see `Database.transaction`."""
    try:
        yield
    except asyncpg.ForeignKeyViolationError as error:
        raise DeletedMeanwhileError from error
    except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
        raise DatabaseUnavailableError(describe(error)) from error


def condition(error: BaseException) -> str:
    """Return the SQLSTATE behind a DatabaseUnavailableError, or else the kind of its cause."""
    cause = error.__cause__ or error
    return getattr(cause, "sqlstate", None) or type(cause).__name__


@contextmanager
def connection_errors(conn: Any) -> Iterator[None]:
    """Convert the errors of a broken connection and of a condition of the server.

    Raises:
        ConnectionLostError: the connection cannot be used any more, but another server can.
        DatabaseUnavailableError: any other condition.
    """
    try:
        yield
    except TimeoutError as error:
        raise DatabaseUnavailableError("a statement was not answered in time") from error
    except ReadOnlyServerError as error:
        raise ConnectionLostError(describe(error)) from error
    except asyncpg.PostgresError as error:
        if _has_state(error, _LOST):
            raise ConnectionLostError(describe(error)) from error
        if not _has_state(error, _CONDITIONS):
            raise
        raise DatabaseUnavailableError(describe(error)) from error
    except asyncpg.InternalClientError as error:
        # The server closed the session, but the end of file has not arrived yet.
        if not _is_lost(conn):
            conn.terminate()
        raise ConnectionLostError(describe(error)) from error
    except asyncpg.InterfaceError as error:
        if _is_lost(conn):
            raise ConnectionLostError(describe(error)) from error
        raise


def _has_state(error: BaseException, states: tuple[str, ...]) -> bool:
    """Return whether an error has one of these SQLSTATEs or classes."""
    return (getattr(error, "sqlstate", None) or "").startswith(states)


def _is_outage(error: Exception) -> bool:
    """Return whether a failure to connect means that no server is there to sign in to."""
    return isinstance(error, OSError) or _has_state(error, _LOST)


def _is_lost(conn: Any) -> bool:
    """Return whether a connection is closed. The pool detaches the proxy of a broken connection."""
    try:
        return bool(conn.is_closed())
    except asyncpg.InterfaceError:
        return True


async def check_version(conn: Connection) -> None:
    """Raise DatabaseTooOldError when the server is older than PostgreSQL 18."""
    version_number = int(await conn.fetchval("SHOW server_version_num"))
    if version_number < OLDEST_SERVER:
        version = await conn.fetchval("SHOW server_version")
        raise DatabaseTooOldError(
            f"PostgreSQL {OLDEST_SERVER // 10000} or newer is needed, this server is {version}"
        )


async def connect(
    dsn: str,
    *,
    statement_timeout: float | None = None,
    variables: str = "CONNECTION_URL or CRUDDUR_DIRECT_URL",
) -> Connection:
    """Open one connection outside any pool, for migrating, sweeping and listening.

    Args:
        dsn: the server, or several, and the database.
        statement_timeout: seconds that a statement may take; None: as long as it needs.
        variables: the variables that can set the DSN, for messages.

    Raises:
        DatabaseUnavailableError: the server does not respond, rejects the connection or accepts no
            writes.
        DatabaseTooOldError: the server is older than PostgreSQL 18.
    """
    try:
        connector = Connector(dsn, statement_timeout=statement_timeout)
        conn = await connector.open(timeout=ACQUIRE_TIMEOUT)
    except Exception as error:  # as in `Database.open`
        raise _cannot_connect(dsn, variables, error) from error
    try:
        await check_version(conn)
    except BaseException:
        conn.terminate()  # a graceful close might hang like the check
        raise
    return conn


@asynccontextmanager
async def listening(dsn: str, *, statement_timeout: float) -> AsyncIterator[Connection]:
    """Yield a connection outside the pool that may LISTEN.

    Raises:
        DatabaseUnavailableError: see `connect`; or the connection broke.
        DatabaseTooOldError: see `connect`.
    """
    conn = await connect(dsn, statement_timeout=statement_timeout)
    try:
        with connection_errors(conn):
            yield conn
    finally:
        conn.terminate()  # a statement in progress does not matter


async def receives_notifications(conn: Connection, dsn: str) -> bool:
    """Return whether LISTEN works on a connection. It does not with a pooler in transaction mode.

    Raises:
        DatabaseUnavailableError, DatabaseTooOldError: see `connect`.
    """
    if await is_direct(conn):
        return True
    received = asyncio.Event()

    def on_notification(*_: object) -> None:
        received.set()

    await conn.add_listener(_PROBE, on_notification)
    other = await connect(dsn)
    try:
        await other.execute(f"NOTIFY {_PROBE}")
        async with asyncio.timeout(_PROBE_SECONDS):
            await received.wait()
    except TimeoutError:
        return False
    finally:
        await other.close()
        await conn.remove_listener(_PROBE, on_notification)
    return True


def _cannot_connect(dsn: str, variables: str, error: Exception) -> DatabaseUnavailableError:
    server = describe_server(dsn)
    return DatabaseUnavailableError(
        f"cannot connect to PostgreSQL at {server} ({variables}): {describe(error)}"
    )


def describe(error: BaseException) -> str:
    """Describe an error in one line; a TimeoutError has no text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else f"no response in {ACQUIRE_TIMEOUT:g} s"


async def _recover(conn: Any) -> bool:
    """End whatever is in progress on the server after an interruption.

    asyncpg sends Sync only after a statement is prepared and executed. An interruption before the
    Sync leaves an implicit transaction open, with its locks and its `now()`, for the next user of
    the connection. Any other statement ends it. A BEGIN that was in progress needs a ROLLBACK,
    which without a transaction would cause a warning in the server's log.

    Returns:
        False if the server does not respond, so that its other connections are unusable too.
    """
    try:
        async with asyncio.timeout(_ROLLBACK_SECONDS):
            await conn.execute("ROLLBACK" if conn.is_in_transaction() else "SELECT")
            if conn.is_in_transaction():
                await conn.execute("ROLLBACK")
    except BaseException as error:
        _terminate(conn)
        if not isinstance(error, Exception):
            raise
        return not isinstance(error, TimeoutError)
    return True


def _terminate(conn: Any) -> None:
    with contextlib.suppress(asyncpg.InterfaceError):  # it is closed already
        conn.terminate()


async def _skip_reset(_: object) -> None:
    """Do nothing: our connections carry no session state."""
