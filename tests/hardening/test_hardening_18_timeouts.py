"""Every connection has a time limit, whatever its client does or does not do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from h2.errors import ErrorCodes
from hypercorn.config import Config
from quart import Quart

from cruddur.process.hypercorn import Timeouts
from cruddur.process.server import server_config
from hardening.http2_wire import fields, frame, http2
from hardening.wire import HEALTH, Wire, wired
from patience import PATIENCE
from support import PARSERS, serving_on_a_socket

SOON = 0.3
"""Timeout under test, in seconds; the other timeouts are too long to be reached in a test."""

LONG = 3600.0

UPGRADE = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n%b\r\n"
HANDSHAKE = (
    b"Origin: http://localhost:3000\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture(params=PARSERS)
async def short_head(
    app: Quart, database: asyncpg.Connection, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """The service with a short timeout for header sections."""
    timeouts = Timeouts(head=SOON, drain=0.05)
    async with serving_on_a_socket(app, timeouts=timeouts, http1=request.param, h2c=True) as url:
        yield url


@dataclass
class Idle:
    """A service whose timeout for idle connections is too long to be reached, until it is cut."""

    url: str
    config: Config

    def cut(self) -> None:
        """Cut the timeout. It applies to the connections that become idle from now on."""
        self.config.keep_alive_timeout = SOON


@pytest.fixture(params=PARSERS)
async def idle(
    app: Quart, database: asyncpg.Connection, request: pytest.FixtureRequest
) -> AsyncIterator[Idle]:
    config = Config()
    config.keep_alive_timeout = LONG
    timeouts = Timeouts(head=LONG, drain=0.05)
    async with serving_on_a_socket(
        app, timeouts=timeouts, config=config, http1=request.param, h2c=True
    ) as url:
        yield Idle(url, config)


def test_hardening_18_the_timeouts_of_the_service() -> None:
    assert Timeouts().head == 10
    assert server_config(["127.0.0.1:0"]).keep_alive_timeout == 75


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (b"/nowhere", HANDSHAKE, 404),
        (b"/api/activities/home", HANDSHAKE, 400),
        (b"/api/health-check", HANDSHAKE, 400),
        (b"/nowhere", b"", 400),
        (b"/nowhere", b"Sec-WebSocket-Version: 13\r\n", 400),
    ],
    ids=["no such path", "not a WebSocket", "a probe", "no handshake", "no key"],
)
@pytest.mark.parametrize("early", [b"", b"\x81\x85\0\0\0\0hello"], ids=["", "with a frame"])
async def test_hardening_18_a_refused_websocket_is_closed(
    app: Quart,
    database: asyncpg.Connection,
    caplog: pytest.LogCaptureFixture,
    path: bytes,
    headers: bytes,
    status: int,
    early: bytes,
) -> None:
    timeouts = Timeouts(head=LONG, drain=0.05)
    async with serving_on_a_socket(app, timeouts=timeouts) as url, wired(url) as wire:
        response = await wire.ask(UPGRADE % (path, headers) + early)
        # Frames before the end of the handshake make it a bad request.
        assert response.status == (400 if early else status)
        assert response.codes()
        assert await wire.rest() == b""
    assert [r for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_hardening_18_a_response_before_the_body_announces_the_close(short_head: str) -> None:
    """A client that sends its body later must not use the connection again."""
    head = b"DELETE /api/health-check HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
    async with wired(short_head) as wire:
        response = await wire.ask(head)
        assert (response.status, response.is_last) == (405, True)
        await wire.send(b"{}" + HEALTH)
        assert await wire.rest() == b""
    async with wired(short_head) as wire:
        whole = await wire.ask(head + b"{}")
        assert (whole.status, whole.is_last) == (405, False)
        assert (await wire.ask()).status == 200


@pytest.mark.parametrize("head", [b"G", HEALTH[:-2], b"GET / HTTP/1.1\r\nX: " + b"x" * 8000])
async def test_hardening_18_a_header_section_has_a_time_limit(short_head: str, head: bytes) -> None:
    async with wired(short_head) as wire:
        response = await wire.ask(head)
        assert (response.status, response.codes(), response.is_last) == (408, ["generic_408"], True)
        assert await wire.rest() == b""


async def test_hardening_18_single_bytes_do_not_extend_the_limit(short_head: str) -> None:
    async with wired(short_head) as wire:
        assert (await wire.ask()).status == 200
        dripping = asyncio.create_task(_drip(wire, HEALTH[:-2] + b"X: y\r\n" * 1000))
        try:
            assert (await wire.response()).status == 408
        finally:
            dripping.cancel()


async def _drip(wire: Wire, data: bytes) -> None:
    for byte in data:
        await wire.send(bytes([byte]))
        await asyncio.sleep(0.01)


async def _repeat(wire: Wire, data: bytes) -> None:
    while True:
        await wire.send(data)
        await asyncio.sleep(0.05)


async def test_hardening_18_an_idle_connection_is_closed(idle: Idle) -> None:
    async with wired(idle.url) as kept:
        assert (await kept.ask()).status == 200
        idle.cut()
        async with wired(idle.url) as silent:
            assert await silent.rest() == b""
        assert (await kept.ask()).status == 200
        assert await kept.rest() == b""


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time a test can advance."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_hardening_18_each_request_starts_the_idle_timeout_again() -> None:
    async def respond(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def visit(clock: Clock) -> None:
        config = Config()
        config.keep_alive_timeout = LONG
        async with serving_on_a_socket(respond, config=config) as url, wired(url) as wire:
            for _ in range(6):
                clock.ahead += 0.7 * LONG
                assert (await wire.ask()).status == 200
            clock.ahead += LONG
            assert await wire.rest() == b""

    clock = Clock()
    with asyncio.Runner(loop_factory=lambda: clock) as runner:
        runner.run(visit(clock))


async def test_hardening_18_http2_without_streams_is_closed(idle: Idle) -> None:
    """This also holds if the client only sends keep-alive frames."""
    idle.cut()
    async with http2(idle.url) as client:
        pings = asyncio.create_task(_repeat(client.wire, frame(6, 0, 0, b"12345678")))
        await client.rest()
        pings.cancel()
        assert client.goaways[0][0] == ErrorCodes.NO_ERROR


async def test_hardening_18_http2_without_streams_after_a_response_is_closed(idle: Idle) -> None:
    async with http2(idle.url) as client:
        idle.cut()
        assert (await client.ask())[0] == 200
        await client.rest()


async def test_hardening_18_http2_without_streams_after_a_reset_is_closed(idle: Idle) -> None:
    async with http2(idle.url) as client:
        stream = await client.request(fields(b"/api/stream"))
        while stream not in client.bodies:
            assert await client.read()
        idle.cut()
        client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        await client.flush()
        await client.rest()


@pytest.mark.parametrize(
    "unfinished",
    [
        frame(1, 0, 3, b"\x82\x86\x84\x41\x01x"),
        frame(1, 0, 3, b"\x82") + frame(9, 0, 3, b"\x86"),
        frame(1, 0x4, 3, b"\x82\x86\x84\x41\x01x")[:-2],
    ],
    ids=["HEADERS", "CONTINUATION", "half a frame"],
)
async def test_hardening_18_an_http2_header_block_has_a_time_limit(
    short_head: str, unfinished: bytes
) -> None:
    """Also if another stream is open."""
    async with http2(short_head) as client:
        stream = await client.request(fields(b"/api/stream"))
        while stream not in client.bodies:
            assert await client.read()
        await client.wire.send(unfinished)
        await client.rest()
        assert client.goaways[0][0] == ErrorCodes.PROTOCOL_ERROR


@pytest.mark.parametrize("h2c", [False, True], ids=["HTTP/1.1", "HTTP/2"])
async def test_hardening_18_a_client_that_reads_nothing_is_disconnected(h2c: bool) -> None:
    gone = asyncio.Event()

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/large":
            await send({"type": "http.response.body", "body": b"x" * 50_000_000})
            gone.set()
        else:
            await send({"type": "http.response.body", "body": b"x"})

    timeouts = Timeouts(send=SOON, drain=0.05)
    async with serving_on_a_socket(large, timeouts=timeouts, h2c=h2c) as url:
        if h2c:
            async with http2(url, window=2**31 - 1) as client:
                client.h2.increment_flow_control_window(2**30)
                await client.request(fields(b"/large"))
                await asyncio.wait_for(gone.wait(), PATIENCE)
        else:
            async with wired(url) as wire:
                await wire.send(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
                await asyncio.wait_for(gone.wait(), PATIENCE)
