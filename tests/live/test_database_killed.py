"""The database is killed under many streams: all of them receive every committed event."""

import asyncio
import re
from dataclasses import replace
from urllib.parse import urlsplit

import asyncpg

from cruddur.app import create_app
from cruddur.settings import Settings
from live.server import Server
from support import Member, serving_on_a_socket, visiting

STREAMS = 100
_CRUD = re.compile(rb'event: crud\ndata: \{"uuid":"([0-9a-f-]{36})"')


class Reader:
    """A stream, and the uuids of the cruds that it has received."""

    received: list[str]

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
        self.received = [found.decode() for found in _CRUD.findall(self._text)]

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
        assert [uuid for uuid in reader.received if uuid in committed] == committed
        assert len(reader.received) == len(set(reader.received))
