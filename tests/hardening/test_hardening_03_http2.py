"""HTTP/2 without TLS is off by default, and if it is on, no client can block a worker with it."""

import asyncio
import base64
import logging
import random
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from h2.errors import ErrorCodes
from quart import Quart

from cruddur.process.hypercorn import Timeouts
from hardening.http2_wire import Fields, Http2Wire, fields, frame, http2
from hardening.wire import HEALTH, wired
from support import serving_on_a_socket

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# :method GET, :scheme http, :path /, :authority x, from the static table of HPACK.
ROOT = b"\x82\x86\x84\x41\x01x"
MANY = 1000

UPGRADE = (
    b"GET /api/health-check HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: %b\r\n\r\n"
)


@pytest.fixture
async def h2c(app: Quart, database: asyncpg.Connection) -> AsyncIterator[str]:
    """The service with HTTP/2 switched on."""
    async with serving_on_a_socket(app, h2c=True) as url:
        yield url


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The errors in the log so far."""

    def found() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]

    return found


async def test_hardening_03_http2_without_tls_is_off_by_default(
    app: Quart, database: asyncpg.Connection
) -> None:
    async with serving_on_a_socket(app) as url:
        async with wired(url) as wire:
            response = await wire.ask(PREFACE + frame(4, 0, 0))
            assert (response.status, response.codes()) == (505, ["generic_505"])
            assert response.is_last
            assert await wire.rest() == b""
        async with wired(url) as wire:
            assert (await wire.ask(UPGRADE % b"AAMAAABkAAQAAP__")).status == 200
            assert (await wire.ask()).status == 200


async def test_hardening_03_http2_can_be_switched_on(h2c: str) -> None:
    async with http2(h2c) as client:
        assert await client.ask() == (200, b'{"success":true,"ver":1}')
        assert b"connection" not in client.headers[1]
    async with wired(h2c) as wire:
        assert (await wire.ask()).status == 200, "HTTP/1.1 continues"


async def test_hardening_03_a_connection_can_be_upgraded(h2c: str) -> None:
    async with wired(h2c) as wire:
        client = Http2Wire(wire)
        settings = client.h2.initiate_upgrade_connection()
        preface = client.h2.data_to_send()
        await wire.send(UPGRADE % settings)
        assert (await wire.response()).status == 101
        await wire.send(preface)
        assert await client.response(1) == (200, b'{"success":true,"ver":1}')
        assert (await client.ask())[0] == 200


@pytest.mark.parametrize(
    "settings",
    [
        b"A",
        base64.urlsafe_b64encode(b"123"),
        base64.urlsafe_b64encode(struct.pack(">HI", 5, 1)),  # a frame size that is too small
    ],
)
async def test_hardening_03_an_upgrade_with_invalid_settings_is_refused(
    h2c: str, settings: bytes, errors: Callable[[], list[str]]
) -> None:
    async with wired(h2c) as wire:
        response = await wire.ask(UPGRADE % settings)
        assert (response.status, response.codes()) == (400, ["generic_400"])
    assert errors() == []


def _resets(count: int) -> bytes:
    return b"".join(
        frame(1, 0x5, number, ROOT) + frame(3, 0, number, struct.pack(">I", 8))
        for number in range(1, 2 * count, 2)
    )


FLOODS = {
    "PING": frame(6, 0, 0, b"12345678") * MANY,
    "SETTINGS": frame(4, 0, 0) * MANY,
    "PRIORITY": frame(2, 0, 1, struct.pack(">IB", 3, 1)) * MANY,
    "WINDOW_UPDATE": frame(8, 0, 0, struct.pack(">I", 1)) * MANY,
    "RST_STREAM": _resets(MANY),
    "an unknown kind": frame(250, 0, 0) * MANY,
    "empty DATA": frame(1, 0x4, 1, ROOT.replace(b"\x82", b"\x83")) + frame(0, 0, 1) * MANY,
    "DATA of padding": frame(1, 0x4, 1, ROOT.replace(b"\x82", b"\x83"))
    + frame(0, 0x8, 1, b"\xff" + b"\0" * 255) * MANY,
    "CONTINUATION": frame(1, 0, 1, ROOT) + frame(9, 0, 1) * MANY,
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_hardening_03_a_flood_of_frames_ends_its_connection(
    h2c: str, flood: str, errors: Callable[[], list[str]]
) -> None:
    async with http2(h2c) as client:
        await client.wire.send(FLOODS[flood])
        await client.rest()
        assert [code for code, _ in client.goaways] == [ErrorCodes.ENHANCE_YOUR_CALM]
    async with wired(h2c) as wire:
        assert (await wire.ask()).status == 200
    assert errors() == []


async def test_hardening_03_frames_that_a_client_needs_are_no_flood(h2c: str) -> None:
    async with http2(h2c) as client:
        for _ in range(100):
            client.h2.ping(b"12345678")
        await client.flush()
        streams = [await client.request() for _ in range(80)]
        for stream in streams[::2]:
            client.h2.reset_stream(stream, ErrorCodes.CANCEL)
        await client.flush()
        await client.until_ended(streams[1::2])
        assert {client.status(stream) for stream in streams[1::2]} == {200}
        assert client.goaways == []


async def test_hardening_03_updates_of_the_window_follow_what_is_sent() -> None:
    """A client that reads may open its window by a few bytes at a time."""
    size, step = 400_000, 1_000

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * size})

    async with (
        serving_on_a_socket(large, h2c=True) as url,
        http2(url, window=step, auto_ack=False) as client,
    ):
        stream = await client.request()
        read = 0
        while stream not in client.ended:
            assert await client.read()
            received = len(client.bodies.get(stream, b""))
            while read + step <= received:
                client.h2.increment_flow_control_window(step)
                if stream not in client.ended:
                    client.h2.increment_flow_control_window(step, stream)
                read += step
            await client.flush()
        assert len(client.bodies[stream]) == size


async def test_hardening_03_a_connection_serves_a_thousand_requests(h2c: str) -> None:
    async with http2(h2c) as client:
        responses = []
        for _ in range(20):
            streams = [await client.request() for _ in range(50)]
            await client.until_ended(streams)
            responses += [client.status(stream) for stream in streams]
        assert responses == [200] * 1000
        await client.rest()
        assert client.goaways[0] == (ErrorCodes.NO_ERROR, 1999)


STRANGE: dict[str, tuple[Fields, int, str]] = {
    "lower-case method": (fields(method=b"get"), 400, "generic_400"),
    "mixed-case method": (fields(method=b"Get"), 400, "generic_400"),
    "method with a space": (fields(method=b"GET /"), 400, "generic_400"),
    "method that is not ASCII": (fields(method="GÉT".encode()), 400, "generic_400"),
    "method of raw bytes": (fields(method=b"\xff\xfe"), 400, "generic_400"),
    "raw bytes in the path": (fields(b"/api/\xff\xfe"), 400, "generic_400"),
    "UTF-8 in the path": (fields("/é".encode()), 400, "generic_400"),
    "raw bytes in the query": (fields(b"/api/health-check?\xff"), 400, "generic_400"),
    "space in the path": (fields(b"/api/health check"), 400, "generic_400"),
    "CONNECT without a path": (
        [(b":method", b"CONNECT"), (b":authority", b"x:1")],
        405,
        "method_not_allowed",
    ),
    "WebSocket": (
        [*fields(method=b"CONNECT"), (b":protocol", b"websocket")],
        405,
        "method_not_allowed",
    ),
}


@pytest.mark.parametrize("case", STRANGE)
async def test_hardening_03_an_invalid_request_is_refused_on_its_stream_only(
    h2c: str, case: str, errors: Callable[[], list[str]]
) -> None:
    headers, status, code = STRANGE[case]
    async with http2(h2c) as client:
        other = await client.request(fields(b"/api/stream"))
        while other not in client.bodies:
            assert await client.read()
        stream = await client.request(headers)
        await client.until_ended([stream])
        assert (client.status(stream), client.codes(stream)) == (status, [code])
        assert (await client.ask())[0] == 200
        assert other not in client.ended
        assert other not in client.resets
        assert client.goaways == []
    assert errors() == []


async def test_hardening_03_a_body_may_come_after_an_early_response(
    h2c: str, errors: Callable[[], list[str]]
) -> None:
    async with http2(h2c) as client:
        stream = await client.request(fields(b"/api/activities", b"POST"), end=False)
        await client.until_ended([stream])
        assert (client.status(stream), client.codes(stream)) == (401, ["generic_401"])
        # Data that was in flight when the response came; it bypasses h2's own rules.
        await client.wire.send(frame(0, 0, stream, b"x" * 1000) + frame(0, 0x1, stream, b"x"))
        assert (await client.ask())[0] == 200
        assert client.goaways == []
        assert client.resets[stream] == ErrorCodes.NO_ERROR, "the client need not send the rest"
    assert errors() == []


async def test_hardening_03_a_client_that_never_opens_its_window_loses_its_stream(
    app: Quart, database: asyncpg.Connection
) -> None:
    timeouts = Timeouts(send=0.2, drain=0.05)
    async with (
        serving_on_a_socket(app, h2c=True, timeouts=timeouts) as url,
        http2(url, window=0, auto_ack=False) as client,
    ):
        stream = await client.request()
        await client.until_ended([stream])
        assert client.resets[stream] == ErrorCodes.CANCEL


async def test_hardening_03_a_response_that_breaks_off_resets_its_stream(
    errors: Callable[[], list[str]],
) -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/half":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})

    async with serving_on_a_socket(half, h2c=True) as url, http2(url) as client:
        broken = await client.request(fields(b"/half"))
        await client.until_ended([broken])
        assert client.resets[broken] == ErrorCodes.INTERNAL_ERROR
        missing = await client.request(fields(b"/none"))
        await client.until_ended([missing])
        assert (client.status(missing), client.codes(missing)) == (500, ["generic_500"])
    assert errors() == []


async def test_hardening_03_random_bytes_raise_nothing(
    h2c: str, errors: Callable[[], list[str]]
) -> None:
    """Frames of every kind with any flags and payload, on streams of all states."""
    chosen = random.Random(3)  # the same each time
    for _ in range(60):
        async with http2(h2c) as client:
            await client.ask()
            await client.request(fields(b"/api/stream"))
            for _ in range(15):
                payload = chosen.choice(
                    [b"", ROOT, chosen.randbytes(chosen.choice([1, 4, 5, 6, 8, 40]))]
                )
                await client.wire.send(
                    frame(
                        chosen.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200]),
                        chosen.choice([0, 1, 4, 5, 8, 0x20, 0x25, 255]),
                        chosen.choice([0, 1, 2, 3, 4, 5, 7, 99]),
                        payload,
                    )
                )
            client.wire.close()
    async with wired(h2c) as wire:
        assert (await wire.ask(HEALTH)).status == 200
    await asyncio.sleep(0)
    assert errors() == []
