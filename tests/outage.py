"""Databases that fail: a relay in front of a server that falls silent, and processes that stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cruddur.db.embedded import EmbeddedPostgres


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
async def relaying(dsn: str) -> AsyncIterator[Relay]:
    """A relay to the server of a DSN with a Unix socket."""
    [folder] = parse_qs(urlsplit(dsn).query)["host"]
    relay = Relay()
    server = await asyncio.start_server(
        lambda r, w: relay.forward(r, w, f"{folder}/.s.PGSQL.5432"), "127.0.0.1", 0
    )
    relay.port = server.sockets[0].getsockname()[1]
    yield relay
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
        except OSError:  # it has just ended
            continue
        if int(fields[1]) == parent:
            found.append(int(path.parent.name))
    return found
