"""A reader that does not read holds up nobody, and holds nothing for long."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import pytest

from cruddur.app import create_app
from cruddur.live import stream
from cruddur.settings import Settings
from live.listening import PATIENCE, Listener, listening
from support import Member, serving_on_a_socket

PART = 200
ENOUGH = 30 * PART
"""Replies of a kilobyte: more than the buffers on the way take, and the queue behind them."""


@asynccontextmanager
async def dawdling(url: str) -> AsyncIterator[asyncio.StreamReader]:
    """A reader with small buffers, which has read the headers and reads no further."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    address = urlsplit(url)
    await asyncio.get_running_loop().sock_connect(sock, (address.hostname, address.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader
    finally:
        writer.transport.abort()


async def flood(andrew: Member, database: asyncpg.Connection, witness: Listener) -> None:
    """Say more than a reader who does not read can be told, and see that others hear it all."""
    crud = await andrew.crud()
    await witness.hear("crud")
    for _ in range(ENOUGH // PART):
        await database.execute(
            "INSERT INTO activities (user_uuid, reply_to_activity_uuid, message, expires_at)"
            " SELECT $1, $2, repeat('x', 1000), now() + interval '1 hour'"
            " FROM generate_series(1, $3::integer)",
            andrew.uuid,
            UUID(crud["uuid"]),
            PART,
        )
        heard = 0
        while heard < PART:
            found = await witness.next()
            assert found is not None, "who keeps up is not dropped"
            assert found.event != "reset"
            heard += found.event == "crud"


async def test_a_reader_who_stops_reading_is_sent_away(
    settings: Settings,
    andrew: Member,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "SLOW_SECONDS", 0.1)
    app = create_app(replace(settings, pool_size=2, streams=2))
    async with app.test_app(), serving_on_a_socket(app) as url, dawdling(url):
        async with listening(url) as witness:
            await flood(andrew, database, witness)
        async with asyncio.timeout(PATIENCE):
            while True:  # its place and the witness's can be taken, while it hangs on
                try:
                    async with listening(url), listening(url):
                        break
                except AssertionError:
                    await asyncio.sleep(0.02)


async def test_a_reader_who_fell_behind_is_told_so(
    url: str, andrew: Member, database: asyncpg.Connection
) -> None:
    async with dawdling(url) as reader, listening(url) as witness:
        await flood(andrew, database, witness)
        said = b""
        async with asyncio.timeout(PATIENCE):
            while not said.endswith(b"\r\n0\r\n\r\n"):  # the end of the chunks
                said += await reader.read(65536)
    assert said.count(b"event: reset\n") == 1
    place, _, after = said.partition(b"event: reset\n")
    assert b"event: " not in after
    cruds = re.findall(rb"^id: (\d+)\nevent: crud$", place, re.M)
    assert len(cruds) < ENOUGH
    last = int(place.rpartition(b"id: ")[2])
    assert int(cruds[-1]) < last, "it goes on from now"
