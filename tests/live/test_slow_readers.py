"""A client that does not read delays no other stream, and uses no memory for long."""

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
from quart import Quart

from cruddur.app import create_app
from cruddur.live import stream
from cruddur.settings import Settings
from live.listening import Listener, listening, order
from patience import PATIENCE
from support import Member, serving_on_a_socket

PART = 200
ENOUGH = 6 * PART
"""Replies of one kilobyte: more than the socket buffers and the queue can hold."""

SEND_BUFFER = 65_536


@asynccontextmanager
async def dawdling(url: str) -> AsyncIterator[asyncio.StreamReader]:
    """A client with small buffers that reads the headers and nothing more."""
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
    """Send more than an idle client can receive, and check that others receive everything."""
    crud = await andrew.crud()
    await witness.receive("crud")
    for _ in range(ENOUGH // PART):
        await database.execute(
            "INSERT INTO activities (user_uuid, reply_to_activity_uuid, message, expires_at)"
            " SELECT $1, $2, repeat('x', 1000), now() + interval '1 hour'"
            " FROM generate_series(1, $3::integer)",
            andrew.uuid,
            UUID(crud["uuid"]),
            PART,
        )
        received = 0
        while received < PART:
            found = await witness.next()
            assert found is not None, "a client that keeps up must not be dropped"
            assert found.event != "reset"
            received += found.event == "crud"


async def test_a_client_that_stops_reading_is_disconnected(
    settings: Settings,
    andrew: Member,
    database: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "SLOW_SECONDS", 0.1)
    app = create_app(replace(settings, pool_size=2, streams=2))
    async with (
        app.test_app(),
        serving_on_a_socket(app, send_buffer=SEND_BUFFER) as url,
        dawdling(url),
    ):
        async with listening(url) as witness:
            await flood(andrew, database, witness)
        async with asyncio.timeout(PATIENCE):
            while True:  # both slots are free once it is disconnected
                try:
                    async with listening(url), listening(url):
                        break
                except AssertionError:
                    await asyncio.sleep(0.02)


async def test_a_client_that_fell_behind_receives_a_reset(
    app: Quart, andrew: Member, database: asyncpg.Connection
) -> None:
    async with (
        serving_on_a_socket(app, send_buffer=SEND_BUFFER) as url,
        dawdling(url) as reader,
        listening(url) as witness,
    ):
        await flood(andrew, database, witness)
        said = b""
        async with asyncio.timeout(PATIENCE):
            while not said.endswith(b"\r\n0\r\n\r\n"):  # the end of the chunks
                part = await reader.read(65536)
                assert part, "the connection was closed before the end of the stream"
                said += part
    assert said.count(b"event: reset\n") == 1
    place, _, after = said.partition(b"event: reset\n")
    assert b"event: " not in after
    cruds = re.findall(rb"^id: (.+)\nevent: crud$", place, re.M)
    assert len(cruds) < ENOUGH
    last = order(place.rpartition(b"id: ")[2].strip().decode())
    assert order(cruds[-1].decode()) < last, "the stream must continue with current events"
