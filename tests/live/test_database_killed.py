"""The database is killed under many streams: all of them receive every committed event."""

import asyncio
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from cruddur.db.migrate import migrate
from cruddur.settings import Settings
from support import Member, serving_on_a_socket, visiting

STREAMS = 500
_CRUD = re.compile(rb'event: crud\ndata: \{"uuid":"([0-9a-f-]{36})"')


class Server:
    """A database server that the test can kill. It stores commits durably."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._postgres = EmbeddedPostgres(directory)
        self.dsn = self._postgres.dsn("cruddur")

    def start(self) -> None:
        while True:
            try:
                self._postgres.start()
                break
            except EmbeddedPostgresError:  # processes of the killed server are still exiting
                self._postgres.stop()
        self._postgres.create_database("cruddur")

    def kill(self) -> None:
        """Kill it without a shutdown."""
        postmaster = (self._directory / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(postmaster), signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self._postgres.stop()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A running server with a migrated database."""
    with tempfile.TemporaryDirectory(prefix="cruddur-killed-") as directory:
        database = Server(Path(directory))
        try:
            await asyncio.to_thread(database.start)
            await migrate(database.dsn)
            yield database
        finally:
            await asyncio.to_thread(database.stop)


class Reader:
    """A stream, and the uuids of the cruds that it has received."""

    heard: list[str]

    def __init__(self) -> None:
        self._text = b""

    async def open(self, url: str) -> None:
        address = urlsplit(url)
        self._reader, self._writer = await asyncio.open_connection(address.hostname, address.port)
        self._writer.write(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await self._reader.readuntil(b"\nid: ")

    async def read(self, last: str) -> None:
        """Read until this crud has arrived."""
        while last.encode() not in self._text:
            data = await self._reader.read(65536)
            assert data, "the stream ended"
            self._text += data
        self.heard = [found.decode() for found in _CRUD.findall(self._text)]

    def close(self) -> None:
        self._writer.transport.abort()


async def test_events_committed_before_during_and_after_the_kill_reach_all_streams(
    server: Server, worker_settings: Settings
) -> None:
    settings = replace(
        worker_settings, connection_url=server.dsn, streams_per_address=STREAMS, pool_size=2
    )
    app = create_app(settings)
    readers = [Reader() for _ in range(STREAMS)]
    async with app.test_app(), serving_on_a_socket(app) as url, visiting(app) as api:
        conn = await asyncpg.connect(server.dsn)
        andrew = await Member.enter(api, conn, app, "andrewbrown", "Andrew Brown")
        await conn.close()
        for start in range(0, STREAMS, 50):
            await asyncio.gather(*(reader.open(url) for reader in readers[start : start + 50]))
        committed: list[str] = []

        async def write(count: int) -> None:
            """Post until this many more cruds were acknowledged."""
            wanted = len(committed) + count
            while len(committed) < wanted:
                response = await api.http.post(
                    "/api/activities",
                    json={"message": f"crud {len(committed)}", "ttl": "1-hour"},
                    headers=andrew.headers,
                )
                assert response.status_code in {200, 503}
                if response.status_code == 200:
                    committed.append(response.json()["uuid"])
                await asyncio.sleep(0.02)

        async def kill_and_start() -> None:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

        async with asyncio.timeout(60):
            await write(10)
            await asyncio.gather(write(10), kill_and_start())
            await write(10)
            await asyncio.gather(*(reader.read(committed[-1]) for reader in readers))
        for reader in readers:
            reader.close()
    for reader in readers:
        # A write without a response may have been committed.
        assert [uuid for uuid in reader.heard if uuid in committed] == committed
        assert len(reader.heard) == len(set(reader.heard))
