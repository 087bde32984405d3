"""An HTTP server on the loopback that can misbehave on demand.

It is the base of every fake that receives telemetry. It records what arrives in every mode,
and lets a test wait for it. Use it with `with`, in synchronous and asynchronous tests.
"""

import asyncio
import gzip
import json
import socket
import ssl
import sys
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.message import Message
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args

from patience import PATIENCE

T = TypeVar("T")

ResponseFault = Literal["endless", "drip", "drip in the head", "endless head", "bomb"]
"""A valid response that is sent badly: `endless` never ends, `drip` arrives a few bytes a second,
`drip in the head` does so from its second header on, `endless head` sends headers forever, and
`bomb` decompresses to 64 MiB."""

FAULTS = get_args(ResponseFault)

Mode = Literal["ok", "refuse", "hang", "401", "429", "500", "503"] | ResponseFault
"""`refuse`: no socket listens on the port. `hang`: requests are read and get no response."""

DRIP_SECONDS = 0.05
BOMB_BYTES = 64 * 1024 * 1024

SEND_BUFFER = 65_536

STOP_SECONDS = 0.02  # polling interval of the accepting thread


@dataclass(frozen=True)
class Received:
    """One request: the body as received, and decompressed."""

    method: str
    path: str
    headers: Message
    raw: bytes
    body: bytes
    mode: Mode

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """A response."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: ResponseFault | None = None


class Sink:
    """Records requests and responds according to its `mode`; closes cleanly while it hangs."""

    def __init__(
        self, certificate: Path | None = None, client_certificate: Path | None = None
    ) -> None:
        """Listen; with TLS if there is a certificate, a file that also contains its key. With a
        client certificate, reject clients that do not present it."""
        self.certificate = certificate
        self.client_certificate = client_certificate
        self.retry_after = 1
        self.clock_ahead = 0.0
        """Seconds that are added to the time of each response."""
        self.problems: list[str] = []
        self.sent_badly = 0
        """Number of bytes sent in responses of one of the manners."""
        self._changed = threading.Condition()
        self._requests: list[Received] = []
        self._mode: Mode = "ok"
        self._port = 0
        self._server: _Server | None = None
        self._accepting: threading.Thread | None = None
        self._released = threading.Event()  # releases hanging requests
        self._refused: socket.socket | None = None

    def __enter__(self) -> Self:
        if self._server is None:  # setting a mode has already started the server
            self._listen()
        if self._mode == "refuse":
            self._stop_listening()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop every connection and stop listening."""
        self._stop_listening()
        if self._refused is not None:
            self._refused.close()
            self._refused = None

    @property
    def url(self) -> str:
        """Scheme, address and port, without a trailing slash."""
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self._port}"

    @property
    def refused_url(self) -> str:
        """An address that refuses connections while the sink is open."""
        if self._refused is None:
            self._refused = socket.socket()  # bound to reserve the port, but never listening
            self._refused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self._refused.getsockname()[1]}"

    @property
    def mode(self) -> Mode:
        return self._mode

    @mode.setter
    def mode(self, mode: Mode) -> None:
        """Set the mode. Hanging requests are cut off without a response."""
        with self._changed:
            self._mode = mode
            self._released.set()
            self._released = threading.Event()
        if mode == "refuse":
            self._stop_listening()
        elif self._server is None:
            self._listen()

    @property
    def requests(self) -> list[Received]:
        """All requests in all modes, the oldest first."""
        with self._changed:
            return list(self._requests)

    @property
    def raw_bytes(self) -> bytes:
        """Every path and decompressed body, to search for secrets."""
        return b"\n".join(part for r in self.requests for part in (r.path.encode(), r.body))

    def clear(self) -> None:
        """Forget all requests."""
        with self._changed:
            self._requests.clear()
            self.problems.clear()
            self.forget()

    def wait_for(self, predicate: Callable[[], T], timeout: float = PATIENCE) -> T:
        """Block until the predicate is true; check it after every request.

        Returns the result of the predicate. Raises TimeoutError after `timeout` seconds.
        """
        with self._changed:
            found = self._changed.wait_for(predicate, timeout)
            if not found:
                paths = [f"{r.method} {r.path} ({r.mode})" for r in self._requests]
                raise TimeoutError(f"not in {timeout} s; {paths} arrived; {self.problems}")
            return found

    async def arrival(self, predicate: Callable[[], T], seconds: float = PATIENCE) -> T:
        """`wait_for` without blocking the event loop."""
        return await asyncio.to_thread(self.wait_for, predicate, seconds)

    # --- for the fakes built on it ------------------------------------------------------

    def respond(self, _: Received) -> Response:
        """Check and store a request in mode `ok`. Called under the lock.

        A ValueError marks the request as malformed: the sink responds with 400 and records it in
        `problems`.
        """
        return Response()

    def refusal(self, status: int, message: str) -> Response:
        """Return an error in the format of this service."""
        return Response(status, json.dumps({"error": message}).encode())

    def forget(self) -> None:
        """Drop everything that `respond` has stored."""

    # --- the socket ---------------------------------------------------------------------

    def _listen(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        self._accepting = threading.Thread(
            target=self._server.serve_forever, args=(STOP_SECONDS,), name=f"sink {self._port}"
        )
        self._accepting.start()

    def _stop_listening(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        self._released.set()
        server.shutdown()
        server.drop_connections()
        server.server_close()  # waits for requests in progress
        if self._accepting is not None:
            self._accepting.join()

    def receive(self, method: str, path: str, headers: Message, raw: bytes) -> Response | None:
        """Record a request. None: it hung, and its connection must be cut."""
        problem = None
        try:
            body = _inflate(raw, headers.get("Content-Encoding", "identity"))
        except (ValueError, OSError, EOFError, zlib.error) as error:
            body, problem = raw, f"the body of {method} {path} cannot be inflated: {error!r}"
        with self._changed:
            mode, released = self._mode, self._released
            request = Received(method, path, headers, raw, body, mode)
            self._requests.append(request)
            response = None if mode in {"hang", "refuse"} else self._decide(request, problem)
            self._changed.notify_all()
        if response is None:
            released.wait()
        return response

    def is_over(self, seconds: float) -> bool:
        """Wait; return whether the mode changed or the sink closed in the meantime."""
        with self._changed:
            released = self._released
        return released.wait(seconds)

    def note(self, problem: str) -> None:
        """Record a failure of a thread, which cannot fail a test itself."""
        with self._changed:
            self.problems.append(problem)
            self._changed.notify_all()

    def _decide(self, request: Received, problem: str | None) -> Response:
        if request.mode in FAULTS:
            return replace(self.respond(request), fault=request.mode)
        if request.mode != "ok":
            response = self.refusal(int(request.mode), "as the test asked for")
            if request.mode == "429":
                headers = {**response.headers, "Retry-After": str(self.retry_after)}
                return Response(429, response.body, response.content_type, headers)
            return response
        if problem is None:
            try:
                return self.respond(request)
            except ValueError as error:
                problem = f"{request.method} {request.path}: {error}"
        self.problems.append(problem)
        return self.refusal(400, problem)


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for the threads

    def __init__(self, address: tuple[str, int], sink: Sink) -> None:
        self.sink = sink
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)
        # A connection inherits it. Otherwise the kernel accepts megabytes that no client reads.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if sink.certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(sink.certificate)
            if sink.client_certificate is not None:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(sink.client_certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        """Wake the threads that wait for an idle client."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client has disconnected
                    continue

    def handle_error(self, *_: Any) -> None:
        """Ignore clients that disconnected, which some tests do on purpose; record other errors."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.sink.note(f"the fake failed: {error!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  # the names are http.server's

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Log nothing."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        now = time.time() if timestamp is None else timestamp
        return super().date_time_string(now + self.server.sink.clock_ahead)  # type: ignore[arg-type]  # typeshed: int

    def _respond(self) -> None:
        self.close_connection = True  # so that a new mode takes effect at once
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        if len(raw) < length:
            return
        response = self.server.sink.receive(self.command, self.path, self.headers, raw)
        if response is None:
            return
        if response.fault is not None:
            self._send_badly(response)
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(response.body)

    def _send_badly(self, response: Response) -> None:
        """Send the response badly until the client disconnects or the mode changes."""
        sink, fault = self.server.sink, response.fault
        head = (
            f"HTTP/1.1 {response.status} OK\r\nContent-Type: {response.content_type}\r\n".encode()
        )
        if fault == "bomb":
            packed = _bomb()
            length = f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
            self._send(head + length + packed)
            return
        pause = DRIP_SECONDS if "drip" in fault else 0.0
        part = b" " if pause else b" " * 65536
        if fault == "endless head":
            part = b"X-More: " + b"a" * 10_000 + b"\r\n"
        elif fault == "drip in the head":
            head += b"X-Slow:"
        else:
            head += b"\r\n" if fault == "endless" else b"Content-Length: 1000000\r\n\r\n"
        self._send(head)
        while not sink.is_over(pause):
            self._send(part)

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sink.sent_badly += len(data)


@cache
def _bomb() -> bytes:
    return gzip.compress(bytes(BOMB_BYTES), compresslevel=1)


def _inflate(raw: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(raw)
    if encoding == "deflate":
        return zlib.decompress(raw)
    if encoding == "identity":
        return raw
    raise ValueError(f"the encoding {encoding} is unknown")
