"""Open connections to a writable server, directly or through a pooler such as PgBouncer.

A pooler in transaction mode assigns a client another server connection for each transaction. It
rejects unknown start-up parameters. Session state (parameters, prepared statements, advisory locks
and LISTEN) would stay on a server connection that other clients use. So connections through a
pooler have no session state.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

import asyncpg

from cruddur.db.statements import Connection, load
from cruddur.settings.database_url import describe_address, server_addresses, session_attributes

Prepared = Literal["auto", "on", "off"]
_Attempt: TypeAlias = Callable[[], Coroutine[Any, Any, Connection]]

NEXT_HOST_SECONDS = 0.25
"""How long one host is tried alone before the next one is tried in parallel. A host that does not
respond must leave the others enough of a probe's time (PROBE_SECONDS)."""

HOST_SECONDS = 3.0
"""How long one of several hosts may take to connect. Less than a request waits for a connection, so
that its error has the reason of each host."""

_GRACE_SECONDS = 5.0
"""How much longer than `statement_timeout` the client waits, so that the server cancels first."""

# By value of target_session_attrs: parameters that exclude a server if they are on. PostgreSQL
# reports them at the start of a session and whenever they change.
_EXCLUDING_PARAMETERS = {
    "read-write": ("in_hot_standby", "default_transaction_read_only"),
    "primary": ("in_hot_standby",),
}

_STATE = load("health.state")


class ReadOnlyServerError(ConnectionError):
    """The server accepts no writes: it is a standby, or a primary that was demoted."""

    def __init__(self) -> None:
        super().__init__("the server is read-only")


class NoServerError(ConnectionError):
    """None of several hosts can be used."""


@dataclass(slots=True)
class Connector:
    """Opens connections to the writable server of one database.

    Attributes:
        dsn: the database and its hosts.
        session: run-time parameters; they apply to direct connections.
        statement_timeout: seconds that one statement may take. Through a pooler, or if `session`
            has no statement_timeout, the client cancels it then; otherwise the server does.
        prepared: whether the driver caches prepared statements; `auto`: not through a pooler.
        accept: raises an exception for a new connection that must not be used, if it is set.
        is_pooled: whether the latest connection goes through a pooler.
    """

    dsn: str
    session: Mapping[str, str] = field(default_factory=dict)
    statement_timeout: float | None = None
    prepared: Prepared = "auto"
    accept: Callable[[Connection], Awaitable[None]] | None = None
    is_pooled: bool = False
    _excluding_parameters: tuple[str, ...] = field(init=False)
    _latest: tuple[str, int] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._excluding_parameters = _excluding_parameters_of(self.dsn)

    async def open(self, *_: object, **options: Any) -> Connection:
        """Open a connection.

        Several hosts are tried in their order, the one of the latest connection first. The next
        host is tried when one fails or takes longer than NEXT_HOST_SECONDS. The first writable
        server is used. If the URL does not ask for a writable server, the driver chooses the host.

        Args:
            *_: the DSN, which the pool passes again.
            **options: further options of `asyncpg.connect`.

        Raises:
            ReadOnlyServerError: the only server accepts no writes.
            NoServerError: none of several hosts can be used; the message has the reason for each.
            Exception: any exception of the driver.
        """
        servers = server_addresses(self.dsn) if self._excluding_parameters else []
        if len(servers) < 2:
            return await self._open(**options)
        servers.sort(key=lambda server: server != self._latest)
        attempts = [
            partial(self._open_in_time, host=host, port=port, **options) for host, port in servers
        ]
        opened, failures = await _first_success(attempts)
        if opened is None:
            raise NoServerError(
                "; ".join(
                    f"{describe_address(*server)}: {_first_line(failure) or 'no response'}"
                    for server, failure in zip(servers, failures, strict=True)
                )
            )
        index, conn = opened
        self._latest = servers[index]
        return conn

    async def _open_in_time(self, **options: Any) -> Connection:
        async with asyncio.timeout(HOST_SECONDS):
            return await self._open(**options)

    async def _open(self, **options: Any) -> Connection:
        while True:
            expected = self.is_pooled
            conn: Connection = await asyncpg.connect(self.dsn, **self._options(), **options)
            try:
                self.is_pooled = not await _set_session(conn, self.session)
                if self.is_pooled <= expected:  # the options fit this kind of connection
                    await self._check(conn)
                    return conn
            except BaseException:
                conn.terminate()
                raise
            await conn.close()

    async def _check(self, conn: Connection) -> None:
        """Raise an exception if a new connection must not be used.

        Raises:
            ReadOnlyServerError: its server accepts no writes.
            Exception: any exception of `accept`.
        """
        if self.is_pooled:
            # A pooler repeats the report of its first server connection, which may be outdated.
            await check_writable(conn, self.dsn)
        elif self.is_demoted(conn):
            raise ReadOnlyServerError
        if self.accept is not None:
            await self.accept(conn)

    def is_demoted(self, conn: Connection) -> bool:
        """Return whether the server reported that it accepts no writes, without a round trip.

        False through a pooler, which does not pass such a report on.
        """
        if self.is_pooled or not self._excluding_parameters:
            return False
        reported = conn.get_settings()
        return any(getattr(reported, name, None) == "on" for name in self._excluding_parameters)

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port of the latest connection, if the URL has several hosts."""
        return self._latest

    @property
    def transaction_settings(self) -> str:
        """SQL that sets the parameters after BEGIN; empty if they are set for the session."""
        settings = self.session.items() if self.is_pooled else ()
        return "".join(f"; SET LOCAL {name} = '{value}'" for name, value in settings)

    def _options(self) -> dict[str, Any]:
        timeout = self.statement_timeout
        if timeout is not None and "statement_timeout" in self.session and not self.is_pooled:
            timeout += _GRACE_SECONDS
        options: dict[str, Any] = {
            "command_timeout": timeout,
            # PgBouncer tracks these two for each client.
            "server_settings": {"application_name": "cruddur", "timezone": "UTC"},
        }
        if self._excluding_parameters:  # the driver would trust the outdated report of a pooler
            options["target_session_attrs"] = "any"
        if self.prepared == "off" or (self.prepared == "auto" and self.is_pooled):
            options["statement_cache_size"] = 0
        return options


async def check_writable(conn: Connection, dsn: str) -> None:
    """Query whether the server accepts writes, also behind a pooler.

    Raises:
        ReadOnlyServerError: it does not, but the URL asks for a writable server.
    """
    state = await _STATE.row(conn)
    if state and any(state[name] == "on" for name in _excluding_parameters_of(dsn)):
        raise ReadOnlyServerError


async def is_direct(conn: Connection) -> bool:
    """Return whether a connection is direct. A pooler reports an invented process id."""
    return await _set_session(conn, {})


async def _set_session(conn: Connection, session: Mapping[str, str]) -> bool:
    """Set the parameters of a direct connection; return whether it is one."""
    settings = ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in session.items()
    )
    # `execute` without arguments uses the simple protocol, which prepares no statement.
    tag: str = await conn.execute(
        f"SELECT {settings} WHERE pg_backend_pid() = {conn.get_server_pid()}"
    )
    return tag == "SELECT 1"


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0]


def _excluding_parameters_of(dsn: str) -> tuple[str, ...]:
    return _EXCLUDING_PARAMETERS.get(session_attributes(dsn), ())


async def _first_success(
    attempts: Iterable[_Attempt],
) -> tuple[tuple[int, Connection] | None, list[BaseException | None]]:
    """Make the attempts one after another, overlapping, until one succeeds.

    Returns:
        The position and the connection of the first success, or None; and the exception of each
        attempt if all failed.
    """
    waiting = deque(attempts)
    tasks: list[asyncio.Task[Connection]] = []
    success: asyncio.Task[Connection] | None = None
    try:
        while success is None and (waiting or not all(task.done() for task in tasks)):
            if waiting:
                tasks.append(asyncio.create_task(waiting.popleft()()))
            await asyncio.wait(
                [task for task in tasks if not task.done()],
                timeout=NEXT_HOST_SECONDS if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            success = next((task for task in tasks if task.done() and not task.exception()), None)
    finally:
        others = [task for task in tasks if task is not success]
        for task in others:
            task.cancel()
        for outcome in await asyncio.gather(*others, return_exceptions=True):
            if not isinstance(outcome, BaseException):  # it succeeded at the same time
                outcome.terminate()
    if success is None:
        return None, [task.exception() for task in tasks]
    return (tasks.index(success), success.result()), []
