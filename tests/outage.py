"""Simulate database failures: silent relays, stopped processes and demoted primaries."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg

from cruddur.db.embedded import SYSTEM_USER, EmbeddedPostgres


class Relay:
    """Forwards connections on a TCP port to a server's Unix socket while it is `open`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.accepted = 0
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def dsn(self, dsn: str) -> str:
        """The DSN of the same database through the relay."""
        parts = urlsplit(dsn)
        return f"postgresql://postgres@127.0.0.1:{self.port}{parts.path}?sslmode=disable"

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str
    ) -> None:
        self.accepted += 1
        self._writers.add(writer)
        try:
            await self.open.wait()
            up_reader, up_writer = await asyncio.open_unix_connection(path)
            self._writers.add(up_writer)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pump(reader, up_writer))
                    tasks.create_task(self._pump(up_reader, writer))
            finally:
                self._writers.discard(up_writer)
        except* OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.open.wait()
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(dsn: str, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Relay]:
    """Yield a relay to the server of a DSN with a Unix socket, on a free port by default."""
    [folder] = parse_qs(urlsplit(dsn).query)["host"]
    relay = Relay()
    server = await asyncio.start_server(
        lambda r, w: relay.forward(r, w, f"{folder}/.s.PGSQL.5432"), address, port
    )
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        relay.open.set()
        relay.cut()
        server.close()


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
    async with asyncio.timeout(30):
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
    async with asyncio.timeout(30):
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
    pids = [postmaster, *_children(postmaster)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # the process has just ended
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found
