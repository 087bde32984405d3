"""Load clients: a closed loop, and a constant rate.

A load repeats a cycle of one or more requests, which all connections share. The closed loop uses
wrk if it is installed, then oha, which cannot send different requests, otherwise the built-in
client; each runs in its own process. The constant rate always uses the built-in client. It fixes
the time of each request in advance, whatever happens to earlier ones, and measures latency from
that time. So a stall of the server counts for every request that was due during it.

    echo '{"port": …}' | python -m benchmarks.clients
"""

import asyncio
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any

import uvloop

from benchmarks.servers import HOST, ROOT

CONNECTIONS = 16
MOST_CONNECTIONS = 128
"""Connections of the constant rate. A request that finds all busy waits, and the wait counts."""

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class ClientError(Exception):
    """A response was not 200; the message is the client's."""


@dataclass(frozen=True)
class Request:
    """A request of a load."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def line(self) -> str:
        """The request line."""
        return f"{self.method} {self.path}"

    def encode(self) -> bytes:
        """The request in HTTP/1.1."""
        headers = {"Host": "localhost", **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body.encode()))
        lines = [f"{self.line} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


@dataclass(frozen=True)
class Load:
    """The result of a load. Times are in seconds.

    Attributes:
        requests: the number of responses.
        seconds: the duration.
        p50, p99: percentiles of the latency.
    """

    requests: int
    seconds: float
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def closed_loop_client() -> str:
    """Return the name of the closed-loop client."""
    return next((client for client in ("wrk", "oha") if shutil.which(client)), "built-in")


def closed_loop(port: int, requests: Sequence[Request], seconds: float) -> Load:
    """Run sixteen connections. Each sends its next request after a response."""
    client = closed_loop_client()
    if client == "wrk":
        return _wrk(port, requests, seconds)
    if client == "oha" and len(requests) == 1:
        return _oha(port, requests[0], seconds)
    return _built_in(port=port, requests=list(map(asdict, requests)), seconds=seconds)


def constant_rate(port: int, requests: Sequence[Request], seconds: float, rate: float) -> Load:
    """Send requests at a constant rate, whatever the responses take."""
    return _built_in(port=port, requests=list(map(asdict, requests)), seconds=seconds, rate=rate)


def arrivals(rate: float, seconds: float) -> list[float]:
    """Return the times of a constant rate, in seconds from the start."""
    return [turn / rate for turn in range(math.floor(rate * seconds))]


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that covers this share."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan


def _wrk(port: int, requests: Sequence[Request], seconds: float) -> Load:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(wrk_script(requests))
        script.flush()
        done = subprocess.run(
            [
                "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency",
                "-s", script.name, f"http://{HOST}:{port}",
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    return read_wrk(done.stdout)


def wrk_script(requests: Sequence[Request]) -> str:
    """Return a script with which wrk sends the requests in turn."""
    lines = ["local requests, turn = {}, 0"]
    for request in requests:
        text = json.dumps(request.encode().decode(), ensure_ascii=False)
        lines.append(f"requests[#requests + 1] = {text}")
    lines += [
        "function request()",
        "  turn = turn % #requests + 1",
        "  return requests[turn]",
        "end",
    ]
    return "\n".join(lines) + "\n"


def read_wrk(output: str) -> Load:
    """Parse the output of wrk.

    Raises:
        ClientError: it reports errors.
    """
    if error := re.search(
        r"^\s*(Non-2xx or 3xx responses|Socket errors): .*$", output, re.MULTILINE
    ):
        raise ClientError(error[0].strip())
    asked = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", output)
    shares = re.findall(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s|m) *$", output, re.MULTILINE)
    latency = {share: float(number) * _UNITS[unit] for share, number, unit in shares}
    if asked is None or len(latency) < 2:
        raise ClientError(output)
    return Load(int(asked[1]), float(asked[2]) * _UNITS[asked[3]], latency["50"], latency["99"])


def _oha(port: int, request: Request, seconds: float) -> Load:
    headers = [f"{name}: {value}" for name, value in request.headers.items()]
    command = [
        "oha", "--no-tui", "--output-format", "json", "-c", str(CONNECTIONS), "-z", f"{seconds}s",
        "--wait-ongoing-requests-after-deadline", "-m", request.method,
        *(part for header in headers for part in ("-H", header)),
        *(("-d", request.body) if request.body else ()),
        f"http://{HOST}:{port}{request.path}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClientError(done.stderr.strip())
    return read_oha(done.stdout)


def read_oha(output: str) -> Load:
    """Parse the JSON output of oha (1.9 and newer).

    Raises:
        ClientError: it reports errors.
    """
    found = json.loads(output)
    statuses, errors = found["statusCodeDistribution"], found["errorDistribution"]
    if errors or statuses.keys() != {"200"}:
        raise ClientError(f"oha: {statuses} {errors}")
    latency = found["latencyPercentiles"]
    return Load(statuses["200"], found["summary"]["total"], latency["p50"], latency["p99"])


def _built_in(**order: Any) -> Load:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clients"],
        input=json.dumps(order), capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    if done.returncode:
        raise ClientError(done.stderr.strip().splitlines()[-1])
    return Load(**json.loads(done.stdout))


class Client:
    """A connection to the service with one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, request: Request) -> tuple[int, bytes]:
        """Return the status and the body of the response."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(HOST, self._port)
        reader, writer = self._streams
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1])) if length else b""
        if re.search(rb"\r\nconnection: *close", head, re.IGNORECASE):
            self.close()
        return int(head.split()[1]), body

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


class UnreadError(Exception):
    """The server closed the connection instead of reading the request."""


class Connection(asyncio.Protocol):
    """A keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._raw = b""
        self._answered: asyncio.Future[None] | None = None
        self._transport: Any = None
        self.is_ending = False  # the server closes it after this response, or has closed it
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)
        self.is_ending = True
        if self._answered is not None and not self._answered.done():
            # Servers close idle connections, possibly while the next request is under way. That
            # request was not read and can be sent again (RFC 9112, 9.3.1).
            is_unread = exc is None and not self._raw
            error = (
                UnreadError()
                if is_unread
                else ClientError("the server closed the connection during a response")
            )
            self._answered.set_exception(error)

    def ask(self, request: bytes) -> asyncio.Future[None]:
        """Send a request; the future resolves when the response is complete."""
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answered

    def data_received(self, data: bytes) -> None:
        self._raw += data
        head, end, body = self._raw.partition(b"\r\n\r\n")
        if not end or self._answered is None:
            return
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        if b" 200 " not in head[:15] or length is None:
            self._answered.set_exception(ClientError(head.decode("latin-1")))
        elif len(body) >= int(length[1]):
            self._raw = b""
            self.is_ending = re.search(rb"\r\nconnection: *close", head, re.IGNORECASE) is not None
            self._answered.set_result(None)

    def close(self) -> None:
        self._transport.close()


class Connections:
    """The connections to one server, closed at the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._all: list[Connection] = []

    async def open(self) -> Connection:
        """Open another connection."""
        create = asyncio.get_running_loop().create_connection
        _, connection = await create(Connection, HOST, self._port)
        self._all.append(connection)
        return connection

    async def ask(self, connection: Connection, request: bytes) -> Connection:
        """Send a request and wait for the response; return the connection for the next one."""
        try:
            if connection.is_ending:
                connection = await self.open()
            await connection.ask(request)
        except UnreadError:
            connection = await self.open()
            await connection.ask(request)
        return connection

    async def close(self) -> None:
        for connection in self._all:
            connection.close()
        await asyncio.gather(*(connection.closed for connection in self._all))


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connections]:
    """Open connections to the server at this port, and close them at the end."""
    connections = Connections(port)
    try:
        yield connections
    finally:
        await connections.close()


async def _ask_closed(port: int, requests: Sequence[bytes], seconds: float) -> Load:
    latencies: list[float] = []
    turns = cycle(requests)

    async def ask(connection: Connection) -> None:
        while (begin := time.perf_counter()) < start + seconds:
            connection = await connections.ask(connection, next(turns))
            latencies.append(time.perf_counter() - begin)

    async with connected(port) as connections:
        opened = [await connections.open() for _ in range(CONNECTIONS)]
        start = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for connection in opened:
                tasks.create_task(ask(connection))
        return _load(latencies, time.perf_counter() - start)


async def _ask_at_rate(port: int, requests: Sequence[bytes], seconds: float, rate: float) -> Load:
    latencies: list[float] = []
    turns = cycle(requests)
    waiting: deque[float] = deque()
    moments = arrivals(rate, seconds)

    def send(due: float) -> None:
        if idle:
            tasks.create_task(ask(idle.pop(), due))
        else:
            waiting.append(due)

    async def ask(connection: Connection, due: float) -> None:
        connection = await connections.ask(connection, next(turns))
        latencies.append(time.perf_counter() - due)
        idle.append(connection)
        if waiting:
            send(waiting.popleft())

    async with connected(port) as connections:
        # Reuse the most recently used connection, so that few connections are needed.
        idle = [await connections.open() for _ in range(MOST_CONNECTIONS)]
        start = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for moment in moments:
                if (left := start + moment - time.perf_counter()) > 0:
                    await asyncio.sleep(left)
                send(start + moment)
        return _load(latencies, time.perf_counter() - start)


def _load(latencies: list[float], seconds: float) -> Load:
    latencies.sort()
    return Load(len(latencies), seconds, percentile(latencies, 0.5), percentile(latencies, 0.99))


def main(order: dict[str, Any]) -> None:
    """Run a load and print the result."""
    requests = [Request(**request).encode() for request in order["requests"]]
    if "rate" in order:
        asking = _ask_at_rate(order["port"], requests, order["seconds"], order["rate"])
    else:
        asking = _ask_closed(order["port"], requests, order["seconds"])
    try:
        load = uvloop.run(asking)
    except* ClientError as failed:
        sys.exit(str(failed.exceptions[0]))
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main(json.load(sys.stdin))
