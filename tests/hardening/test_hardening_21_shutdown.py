"""The last response on a connection announces it, and stopping fails no request."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
import pytest
from h2.errors import ErrorCodes
from hypercorn.config import Config
from quart import Quart

from cruddur.process.hypercorn import Timeouts
from hardening.http2_wire import http2
from hardening.wire import HEALTH, Response, Wire, wired
from outage import FOREVER
from patience import PATIENCE
from processes import Running, Serve
from support import PARSERS, serving_on_a_socket
from telemetry.recorded import until

CONNECTIONS = 16

FORGOT = (
    b"POST /api/auth/forgot HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 25\r\n\r\n"
)


@pytest.fixture
def start(serve: Serve, dsn: str) -> Callable[..., Running]:
    """Start the service on the database of the tests."""

    def start(*options: str, **environment: str) -> Running:
        return serve(*options, CONNECTION_URL=dsn, **environment).wait()

    return start


@dataclass
class Service:
    """A service in this process. Once it stops, it waits for open connections without a limit."""

    url: str
    stopping: asyncio.Event

    async def stop(self) -> None:
        """Begin the stop, and wait until the service accepts no more connections."""
        self.stopping.set()
        await _until_refused(self.url)


@pytest.fixture(params=PARSERS)
async def service(
    app: Quart, database: asyncpg.Connection, request: pytest.FixtureRequest
) -> AsyncIterator[Service]:
    config = Config()
    config.keep_alive_timeout = config.graceful_timeout = FOREVER
    serving = serving_on_a_socket(
        app,
        http1=request.param,
        config=config,
        h2c=True,
        stop=(stop := asyncio.Event()),
        timeouts=Timeouts(drain=FOREVER),
    )
    async with serving as url:
        yield Service(url, stop)


async def _ended(running: Running) -> int:
    return await asyncio.to_thread(running.process.wait, PATIENCE)


async def test_hardening_21_requests_on_open_connections_are_answered_after_the_stop(
    service: Service,
) -> None:
    """16 requests on used connections, and 16 on unused ones."""
    async with AsyncExitStack() as stack:
        used = [await stack.enter_async_context(wired(service.url)) for _ in range(CONNECTIONS)]
        for wire in used:
            assert not (await wire.ask()).is_last
        fresh = [await stack.enter_async_context(wired(service.url)) for _ in range(CONNECTIONS)]
        await service.stop()
        responses = await asyncio.gather(*(wire.ask() for wire in [*used, *fresh]))
        assert {response.status for response in responses} == {200}
        assert all(response.is_last for response in responses)
        assert {await wire.rest() for wire in [*used, *fresh]} == {b""}


async def _until_refused(url: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with wired(url):
                    pass
            except ConnectionRefusedError:
                return
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one worker", "two workers"])
async def test_hardening_21_clients_that_send_all_the_time_see_no_failure(
    start: Callable[..., Running], options: tuple[str, ...]
) -> None:
    running = start(*options)
    responses: list[Response] = []
    paused = 0

    async def ask_to_the_last(wire: Wire) -> None:
        nonlocal paused
        now = asyncio.get_running_loop().time
        asked = now()
        while True:
            previous, asked = asked, now()
            try:
                response = await wire.ask()
            except (EOFError, ConnectionError):
                # The service closes a connection that is idle for a second.
                assert now() - previous >= Timeouts().drain
                paused += 1
                return
            responses.append(response)
            if response.is_last:
                assert await wire.rest() == b""
                return

    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(wired(running.url)) for _ in range(CONNECTIONS)]
        async with asyncio.TaskGroup() as group:
            for wire in wires:
                group.create_task(ask_to_the_last(wire))
            await until(lambda: len(responses) >= 10 * CONNECTIONS)
            running.process.send_signal(signal.SIGTERM)
    assert {response.status for response in responses} == {200}
    assert sum(response.is_last for response in responses) == CONNECTIONS - paused
    assert await _ended(running) == 0
    assert "Traceback" not in running.log.read_text()


async def test_hardening_21_a_request_that_is_being_sent_is_answered(
    service: Service,
) -> None:
    async with wired(service.url) as wire, wired(service.url) as half:
        await wire.send(FORGOT)
        await half.send(HEALTH[:-2])
        async with wired(service.url) as other:  # both have arrived when this is answered
            assert (await other.ask()).status == 200
        await service.stop()
        await half.send(b"\r\n")
        await wire.send(b'{"email": "a@b.example"  }'[:25])
        for response in (await wire.response(), await half.response()):
            assert response.is_last
        assert await wire.rest() == b""


async def test_hardening_21_pipelined_requests_are_answered(service: Service) -> None:
    async with wired(service.url) as wire:
        assert (await wire.ask()).status == 200
        await service.stop()
        await wire.send(HEALTH * 3)
        responses = [await wire.response() for _ in range(3)]
        assert [response.is_last for response in responses] == [False, False, True]
        assert await wire.rest() == b""


async def test_hardening_21_idle_connections_are_closed_cleanly(
    start: Callable[..., Running],
) -> None:
    running = start()
    async with wired(running.url) as silent, wired(running.url) as used:
        assert (await used.ask()).status == 200
        running.process.send_signal(signal.SIGTERM)
        assert await silent.rest() == b""
        assert await used.rest() == b""
    assert await _ended(running) == 0


async def test_hardening_21_http2_streams_are_answered_before_the_goaway(service: Service) -> None:
    async with http2(service.url) as client:
        assert (await client.ask())[0] == 200
        await service.stop()
        assert (await client.ask())[0] == 200
        await client.rest()
        assert client.goaways == [(ErrorCodes.NO_ERROR, 3)]


@pytest.fixture(params=PARSERS)
async def url(
    app: Quart, database: asyncpg.Connection, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """The service on a socket."""
    async with serving_on_a_socket(app, http1=request.param) as address:
        yield address


SMUGGLED = b"GET /api/health-check HTTP/1.1\r\nHost: smuggled\r\n\r\n"
BODIES = {
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "an unreadable length": b"Content-Length: +5\r\n\r\n0\r\n\r\n",
    "chunks and no chunks": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks with a space": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("method", [b"POST", b"GET", b"HEAD"])
async def test_hardening_21_a_body_of_doubtful_length_closes_the_connection(
    url: str, body: str, method: bytes
) -> None:
    async with wired(url) as wire:
        head = method + b" /api/health-check HTTP/1.1\r\nHost: x\r\n"
        await wire.send(head + BODIES[body] + SMUGGLED)
        response = await wire.response(has_body=method != b"HEAD")
        assert response.status in {400, 501}
        assert response.is_last
        if method != b"HEAD":
            assert response.codes() == [f"generic_{response.status}"]
            assert await wire.rest() == b""
        else:
            assert b"HTTP/1.1" not in await wire.rest()


async def test_hardening_21_chunks_in_http_1_0_are_refused(url: str) -> None:
    async with wired(url) as wire:
        head = b"POST /api/auth/forgot HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        assert (await wire.ask(head)).status == 400


@pytest.mark.parametrize("version", ["0.9", "1.2", "1.9", "2.0", "3.0", "9.9"])
async def test_hardening_21_an_unknown_version_is_refused(url: str, version: str) -> None:
    async with wired(url) as wire:
        response = await wire.ask(f"GET / HTTP/{version}\r\nHost: x\r\n\r\n".encode() + SMUGGLED)
        assert (response.status, response.codes(), response.is_last) == (505, ["generic_505"], True)
        assert await wire.rest() == b""


@pytest.mark.parametrize("line", ["get /", "Get /", "gET /", "head /", "post /", "x /"])
async def test_hardening_21_a_method_in_lower_case_is_refused(url: str, line: str) -> None:
    async with wired(url) as wire:
        response = await wire.ask(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + SMUGGLED)
        assert (response.status, response.codes(), response.is_last) == (400, ["generic_400"], True)
        assert await wire.rest() == b""


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / http/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.10\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"G\xc3\x89T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000, 431),
    ],
)
async def test_hardening_21_invalid_requests_get_the_error_format(
    url: str, head: bytes, status: int
) -> None:
    async with wired(url) as wire:
        response = await wire.ask(head)
        assert (response.status, response.codes(), response.is_last) == (
            status,
            [f"generic_{status}"],
            True,
        )
