"""Simulate database failures: stopped processes and demoted primaries."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
from quart import Quart

from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.postgres_user import NAME as SYSTEM_USER
from patience import PATIENCE
from support import Api, refused

FOREVER = 3600.0
"""Seconds of a time limit that must not end anything in a test."""


class Limits:
    """The time limits of the service for its database.

    None applies at first, so that no response depends on the speed of the machine. A test sets the
    one that it is about: if that had no effect, the response would never come.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.probe(FOREVER)
        self.acquire(FOREVER)
        self.switch(0.0)
        self.host(FOREVER)
        patch.setattr("cruddur.db.connector._GRACE_SECONDS", 0.0)

    def probe(self, seconds: float) -> None:
        """Set the limit of /api/ready."""
        self._patch.setattr("cruddur.db.probe.PROBE_SECONDS", seconds)

    def acquire(self, seconds: float) -> None:
        """Set the limit of the wait for a connection."""
        self._patch.setattr("cruddur.db.pool.ACQUIRE_TIMEOUT", seconds)

    def switch(self, seconds: float) -> None:
        """Set how long requests wait for a server that accepts writes."""
        self._patch.setattr("cruddur.db.pool.SWITCH_SECONDS", seconds)

    def host(self, seconds: float) -> None:
        """Set how long one of several hosts may take to connect."""
        self._patch.setattr("cruddur.db.connector.HOST_SECONDS", seconds)

    def reads(self, app: Quart, seconds: float) -> None:
        """Set the limit of all work in the database for one GET request.

        A connection that was used for half of it counts as broken.
        """
        database = app.extensions["cruddur"].database
        self._patch.setattr(database, "_request_seconds", seconds)
        self._patch.setattr(database, "_statement_timeout", seconds / 2)

    async def statements(self, app: Quart, seconds: float) -> None:
        """Set the limit of one statement, and let the pool open new connections, which have it."""
        self.new_statements(app, seconds)
        await app.extensions["cruddur"].database._pool.expire_connections()

    def new_statements(self, app: Quart, seconds: float) -> None:
        """Set the limit of one statement on connections that are opened from now on."""
        database = app.extensions["cruddur"].database
        session = {"statement_timeout": str(int(seconds * 1000))}
        self._patch.setattr(database._connector, "statement_timeout", seconds)
        self._patch.setattr(database._connector, "session", database._connector.session | session)


async def ready(api: Api) -> int:
    """Return the status of /api/ready."""
    async with asyncio.timeout(PATIENCE):
        response = await api.http.get("/api/ready")
    if response.status_code == 503:
        assert refused(response) == ["unavailable"]
        assert int(response.headers["retry-after"]) > 0
    return response.status_code


@contextmanager
def own_server(directory: Path) -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """A PostgreSQL for one test, and its data directory."""
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    try:
        yield server, directory / "data"
    finally:
        server.stop()


@contextmanager
def own_standby(
    primary: EmbeddedPostgres, directory: Path
) -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """A streaming standby of a server, and its data directory."""
    data = directory / "data"
    directory.mkdir()
    if os.geteuid() == 0:
        shutil.chown(directory, SYSTEM_USER)
    primary.run_tool(
        "pg_basebackup",
        f"--pgdata={data}",
        "--checkpoint=fast",
        "--no-sync",
        "--write-recovery-conf",
    )
    for copied in data.glob(".s.PGSQL.*"):  # of the primary's socket
        copied.unlink()
    with own_server(directory) as (server, _):
        yield server, data


def demote(server: EmbeddedPostgres, data: Path) -> None:
    """Restart a primary as a standby, as a cluster manager does."""
    server.stop()
    signal_file = data / "standby.signal"
    signal_file.touch()
    shutil.chown(signal_file, data.stat().st_uid)
    server.start()


async def set_read_only(dsn: str, value: str) -> None:
    """Set `default_transaction_read_only` of a running server without closing its connections."""
    conn = await asyncpg.connect(dsn, server_settings={"default_transaction_read_only": "off"})
    await conn.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    await conn.execute("SELECT pg_reload_conf()")
    await conn.close()
    async with asyncio.timeout(PATIENCE):
        while True:
            # The server signals its open sessions before it accepts one with the new value.
            new = await asyncpg.connect(dsn)
            shown = new.get_settings().default_transaction_read_only
            await new.close()
            if shown == value:
                break


async def caught_up(primary_dsn: str, standby_dsn: str) -> None:
    """Wait until a standby has replayed all that its primary has committed."""
    primary, standby = await asyncpg.connect(primary_dsn), await asyncpg.connect(standby_dsn)
    end = await primary.fetchval("SELECT pg_current_wal_insert_lsn()::text")
    replayed = "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn"
    async with asyncio.timeout(PATIENCE):
        while True:
            if await standby.fetchval(replayed, end):
                break
            await asyncio.sleep(0.01)
    await primary.close()
    await standby.close()


async def promote(dsn: str) -> None:
    """Promote a standby and wait until it is the primary."""
    conn = await asyncpg.connect(dsn)
    assert await conn.fetchval("SELECT pg_promote()")
    await conn.close()


@contextmanager
def black_hole() -> Iterator[int]:
    """Yield a port of 127.0.0.1 where the kernel drops packets because the backlog is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        clients = [socket.socket() for _ in range(4)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        try:
            yield listener.getsockname()[1]
        finally:
            for client in clients:
                client.close()


@contextmanager
def stopped(data: Path) -> Iterator[None]:
    """Stop every process of a server with SIGSTOP, as a paused machine does."""
    postmaster = int((data / "postmaster.pid").read_text().split()[0])
    pids = [postmaster, *children(postmaster)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def children(parent: int) -> list[int]:
    """Return the ids of the child processes of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # the process has just ended
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found
