"""Relay the connections of a service to its database: silent, broken or slow ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from cruddur.settings.database_url import server_addresses


class Relay:
    """Forwards connections on a TCP port to a server while it is `open`, with a delay each way."""

    def __init__(self, server: tuple[str, int], delay: float) -> None:
        self._server = server
        self._delay = delay
        self.open = asyncio.Event()
        self.open.set()
        self.accepted = 0
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def dsn(self, dsn: str) -> str:
        """The DSN of the same database through the relay."""
        parts = urlsplit(dsn)
        user = parts.netloc.rpartition("@")[0]
        return f"postgresql://{user}@127.0.0.1:{self.port}{parts.path}?sslmode=disable"

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._writers.add(writer)
        try:
            await self.open.wait()
            up_reader, up_writer = await self._connect()
            self._writers.add(up_writer)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pump(reader, up_writer))
                    tasks.create_task(self._pump(up_reader, writer))
            finally:
                self._writers.discard(up_writer)
                up_writer.close()  # a client that resets its connection ends the pumps
        except* OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = self._server
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self.open.wait()
            await asyncio.sleep(self._delay)
            writer.write(data)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def relaying(
    dsn: str, address: str = "127.0.0.1", port: int = 0, *, delay: float = 0.0
) -> AsyncIterator[Relay]:
    """Yield a relay to the server of a DSN, on a free port by default."""
    [address_of_server] = server_addresses(dsn)
    relay = Relay(address_of_server, delay)
    server = await asyncio.start_server(relay.forward, address, port)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        relay.open.set()
        relay.cut()
        server.close()
