"""Stock Hypercorn on real connections: the same behavior with h11 and with httptools."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import h2.connection
import h2.events
import hypercorn.asyncio.run
import hypercorn.protocol
import pytest
import wsproto
import wsproto.events as ws
from hypercorn.asyncio import serve
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.protocol.h11 import H11Protocol

from hypercorn_httptools import HTTPToolsProtocol, hooks, install, missing_names
from patience import PATIENCE
from support import without_lifespan

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"

Application = Callable[[Any, Any, Any], Awaitable[None]]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serving = Callable[..., AbstractAsyncContextManager["Service"]]


class Service:
    """A running Hypercorn."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stop = asyncio.Event()

    async def connect(self) -> Stream:
        """Open a connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)


@pytest.fixture(params=[H11Protocol, HTTPToolsProtocol], ids=["h11", "httptools"])
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Serving:
    """Run Hypercorn with each of the two."""
    monkeypatch.setattr(hypercorn.protocol, "H11Protocol", H11Protocol)
    # A server that lasts for the whole run, such as that of tests/traceview, has replaced them.
    monkeypatch.setattr(hypercorn.asyncio.run, "TCPServer", TCPServer)
    monkeypatch.setattr(hypercorn.asyncio.run, "WorkerContext", WorkerContext)
    if request.param is HTTPToolsProtocol:
        assert install()

    @asynccontextmanager
    async def running(app: Application, **options: Any) -> AsyncIterator[Service]:
        config = Config()
        config.bind = ["127.0.0.1:0"]
        config.graceful_timeout = 1
        config.keep_alive_timeout = PATIENCE
        for name, value in options.items():
            setattr(config, name, value)
        sockets = config.create_sockets()
        sockets.insecure_sockets[0].listen()
        config.create_sockets = lambda: sockets  # type: ignore[method-assign]  # bound already

        service = Service(sockets.insecure_sockets[0].getsockname()[1])
        server = asyncio.create_task(
            serve(without_lifespan(app), config, shutdown_trigger=service.stop.wait)
        )
        async with asyncio.timeout(PATIENCE):
            try:
                yield service
            finally:
                service.stop.set()
                await server

    return running


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Respond with the body of the request."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    length = b"%d" % len(body)
    headers = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def _part(reader: asyncio.StreamReader) -> bytes:
    part = await reader.read(65536)
    assert part, "the server closed the connection"
    return part


async def test_a_connection_serves_several_requests(run: Serving) -> None:
    async with run(echo) as service:
        reader, writer = await service.connect()
        for body in (b"one", b"two"):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" + body)
            assert b"connection" not in (await _head(reader)).lower()
            assert await reader.readexactly(3) == body
        writer.close()


async def test_the_last_of_the_allowed_requests_closes_the_connection(run: Serving) -> None:
    async with run(echo, keep_alive_max_requests=2) as service:
        reader, writer = await service.connect()
        writer.write(GET * 2)
        assert b"connection: close" not in (await _head(reader)).lower()
        assert b"connection: close" in (await _head(reader)).lower()
        assert await reader.read() == b""
        writer.close()


async def test_an_idle_connection_is_closed(run: Serving) -> None:
    async with run(echo, keep_alive_timeout=0.05) as service:
        reader, writer = await service.connect()
        writer.write(GET)
        await _head(reader)
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_expects_100_continue_gets_it(run: Serving) -> None:
    async with run(echo) as service:
        reader, writer = await service.connect()
        head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        writer.write(head)
        assert (await _head(reader)).startswith(b"HTTP/1.1 100 ")
        writer.write(b"hello")
        assert (await _head(reader)).startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(5) == b"hello"
        writer.close()


async def test_a_pipelined_request_starts_after_the_response_before_it(run: Serving) -> None:
    started: list[str] = []
    first, may_respond = asyncio.Event(), asyncio.Event()

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        started.append(scope["path"])
        first.set()
        await may_respond.wait()
        await echo(scope, receive, send)

    async with run(wait) as service:
        reader, writer = await service.connect()
        writer.write(GET + GET.replace(b"/ ", b"/second "))
        await first.wait()
        other, other_writer = await service.connect()
        other_writer.write(b"broken\r\n\r\n")  # the server has read everything by this response
        await _head(other)
        assert started == ["/"]
        may_respond.set()
        for _ in range(2):
            await _head(reader)
        assert started == ["/", "/second"]
        writer.close()
        other_writer.close()


async def test_every_part_of_a_stream_is_sent_at_once(run: Serving) -> None:
    steps: asyncio.Queue[bytes] = asyncio.Queue()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while part := await steps.get():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    async with run(stream) as service:
        reader, writer = await service.connect()
        writer.write(GET)
        assert b"chunked" in await _head(reader)
        for part in (b"data: 1\n\n", b"data: 2\n\n"):
            steps.put_nowait(part)
            assert await reader.readexactly(len(part) + 5) == b"9\r\n" + part + b"\r\n"
        steps.put_nowait(b"")
        assert await reader.readexactly(5) == b"0\r\n\r\n"
        writer.close()


async def test_a_client_that_reads_nothing_stops_the_application(run: Serving) -> None:
    sent = 0
    has_started = asyncio.Event()

    async def large(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"x" * 2**20, "more_body": True})
            sent += 1
            has_started.set()

    async with run(large) as service:
        _, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1024)
        writer.write(GET)
        await has_started.wait()
        before = -1
        while sent != before:  # the buffers of the kernel have room for some megabytes
            before = sent
            await asyncio.sleep(0.2)
        assert sent < 100
        writer.transport.abort()


async def test_an_application_learns_that_its_client_has_disconnected(run: Serving) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.request"
        started.set()
        assert (await receive())["type"] == "http.disconnect"
        ended.set()

    async with run(wait) as service:
        _, writer = await service.connect()
        writer.write(GET)
        await started.wait()
        writer.close()
        await ended.wait()


async def test_a_request_in_progress_is_answered_when_the_worker_stops(run: Serving) -> None:
    started, may_respond = asyncio.Event(), asyncio.Event()

    async def wait(scope: Any, receive: Any, send: Any) -> None:
        started.set()
        await may_respond.wait()
        await echo(scope, receive, send)

    async with run(wait, graceful_timeout=PATIENCE) as service:
        reader, writer = await service.connect()
        writer.write(GET)
        await started.wait()
        service.stop.set()
        may_respond.set()
        assert (await _head(reader)).startswith(b"HTTP/1.1 200 ")
        assert await reader.read() == b""
        writer.close()


async def test_a_websocket_is_served_by_hypercorn(run: Serving) -> None:
    async def repeat(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "websocket"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            if message["type"] == "websocket.receive":
                await send({"type": "websocket.send", "text": message["text"]})

    async with run(repeat) as service:
        reader, writer = await service.connect()
        client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        writer.write(client.send(ws.Request(host="x", target="/")))

        async def receive() -> Any:
            while True:
                for event in client.events():
                    return event
                client.receive_data(await _part(reader))

        assert isinstance(await receive(), ws.AcceptConnection)
        for text in ("one", "two" * 50_000):
            writer.write(client.send(ws.TextMessage(text)))
            received = ""
            while len(received) < len(text):
                received += (await receive()).data
            assert received == text
        writer.write(client.send(ws.CloseConnection(1000)))
        assert isinstance(await receive(), ws.CloseConnection)
        writer.close()


async def test_a_websocket_can_be_refused(run: Serving) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close"})

    async with run(refuse) as service:
        reader, writer = await service.connect()
        client = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        writer.write(client.send(ws.Request(host="x", target="/")))
        assert (await _head(reader)).startswith(b"HTTP/1.1 403 ")
        writer.close()


@pytest.mark.parametrize("has_upgrade", [False, True], ids=["prior knowledge", "upgrade"])
async def test_http2_is_served_by_hypercorn(run: Serving, has_upgrade: bool) -> None:
    async with run(echo) as service:
        reader, writer = await service.connect()
        client = h2.connection.H2Connection()
        stream = 1
        if has_upgrade:
            settings = client.initiate_upgrade_connection()
            writer.write(
                b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                b"Upgrade: h2c\r\nHTTP2-Settings: " + settings + b"\r\n\r\n"
            )
            assert (await _head(reader)).startswith(b"HTTP/1.1 101 ")
        else:
            client.initiate_connection()
            names = (":method", ":path", ":authority", ":scheme")
            values = ("GET", "/", "x", "http")
            client.send_headers(stream, list(zip(names, values, strict=True)), end_stream=True)
        writer.write(client.data_to_send())
        ended = False
        while not ended:
            events = client.receive_data(await _part(reader))
            ended = any(isinstance(event, h2.events.StreamEnded) for event in events)
            writer.write(client.data_to_send())
        writer.close()


def test_hypercorn_has_the_names_that_the_package_relies_on() -> None:
    assert missing_names() == []


@pytest.mark.parametrize("name", [*hooks.METHODS])
def test_an_unknown_hypercorn_stays_on_h11_with_a_warning(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hypercorn.protocol, "H11Protocol", H11Protocol)
    monkeypatch.delattr(H11Protocol, name)
    assert not install()
    assert hypercorn.protocol.H11Protocol is H11Protocol
    assert f"Hypercorn has no H11Protocol.{name}" in caplog.text


def test_a_hypercorn_that_looks_up_other_names_stays_on_h11(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Other(H11Protocol):
        def __init__(self) -> None:
            """Have no connection."""

    monkeypatch.setattr(hooks, "ProtocolWrapper", Other)
    monkeypatch.setattr(hooks, "H11Protocol", Other)
    assert missing_names() == ["H11Protocol.connection", "hypercorn.protocol.H11Protocol"]
