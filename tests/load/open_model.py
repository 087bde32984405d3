"""Send a constant rate of requests, whatever the service responds: `python -m load.open_model`.

In the open model, requests do not wait for earlier responses. Latency is measured from the time
at which a request was due, even if this program sends it late. A round measures the capacity in
a closed loop, the latency at a fifth of it, a multiple of it, and the recovery at half of it.
"""

import asyncio
import json
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import click
import httpx
import uvloop

CLOSED = 8
"""Connections of the closed loop: too few for the service to reject any."""

CONNECTIONS = 250
"""Maximum number of open connections: the service's limit for one client address. A request
that arrives while all are in use is lost."""

PATHS = {
    "members": ("/api/activities/home", "/api/activities/notifications", "/api/messages/counter"),
    "visitors": ("/api/activities/home",),
}


@dataclass
class Sample:
    """One request: its arrival in seconds from the start, its duration, and the status.

    The status is 0 without a response.
    """

    at: float
    seconds: float
    status: int


@dataclass
class Load:
    """The requests of one phase."""

    samples: list[Sample] = field(default_factory=list)

    def answered(self) -> list[float]:
        """The durations of the requests with status 200."""
        return [one.seconds for one in self.samples if one.status == 200]

    def count(self, status: int) -> int:
        return sum(one.status == status for one in self.samples)


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self) -> None:
        self._transport: Any = None  # uvloop's transport has no asyncio class
        self._response: asyncio.Future[int] | None = None
        self._received = b""
        self.is_open = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self.is_open = False
        if self._response is not None and not self._response.done():
            self._response.set_result(0)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length and self._response is not None and not self._response.done():
            self._received = b""
            if b"connection: close" in lower:
                self.is_open = False
            self._response.set_result(int(head[9:12]))

    async def request(self, data: bytes) -> int:
        """Send a request and return the status, 0 if the connection was lost."""
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._response

    def close(self) -> None:
        self._transport.abort()


class Client:
    """Requests over a pool of keep-alive connections, like a proxy."""

    def __init__(self, host: str, port: int, requests: Sequence[bytes]) -> None:
        self._host, self._port, self._requests = host, port, requests
        self._idle: deque[Connection] = deque()
        self._open = 0
        self._next = 0

    async def send(self) -> int:
        """Send the next request and return its status, 0 without a response."""
        data = self._requests[self._next % len(self._requests)]
        self._next += 1
        connection = await self._take()
        if connection is None:
            return 0
        status = await connection.request(data)
        if connection.is_open:
            self._idle.append(connection)
        else:
            self._open -= 1
        return status

    async def open(self) -> None:
        """Open all connections, so that none must be accepted while the service is busy."""
        while self._open < CONNECTIONS:
            connection = await self._connect()
            if connection is None:
                return
            self._idle.append(connection)

    async def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            self._open -= 1
        return await self._connect() if self._open < CONNECTIONS else None

    async def _connect(self) -> Connection | None:
        self._open += 1
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                Connection, self._host, self._port
            )
        except OSError:
            self._open -= 1
            return None
        return connection

    def close(self) -> None:
        for connection in self._idle:
            connection.close()


async def closed_loop(client: Client, seconds: float) -> float:
    """Return the maximum rate of 200 responses per second."""
    answered = 0
    end = time.perf_counter() + seconds

    async def visit() -> None:
        nonlocal answered
        while time.perf_counter() < end:
            status = await client.send()
            answered += status == 200

    async with asyncio.TaskGroup() as group:
        for _ in range(CLOSED):
            group.create_task(visit())
    return answered / seconds


async def open_loop(client: Client, rates: Sequence[tuple[float, float]]) -> Load:
    """Send requests at given rates, each for a number of seconds."""
    load = Load()
    start = time.perf_counter()

    async def visit(arrival: float) -> None:
        status = await client.send()
        load.samples.append(Sample(arrival - start, time.perf_counter() - arrival, status))

    async with asyncio.timeout(sum(seconds for _, seconds in rates) + 60):
        async with asyncio.TaskGroup() as group:
            begin = start
            for rate, seconds in rates:
                sent = 0
                while (arrival := begin + sent / rate) < begin + seconds:
                    if (wait := arrival - time.perf_counter()) > 0:
                        await asyncio.sleep(wait)
                    group.create_task(visit(arrival))
                    sent += 1
                begin += seconds
    return load


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile in milliseconds, nan if there are no values."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1] * 1000 if ordered else math.nan


def recovery(load: Load, begin: float, limit_ms: float) -> float:
    """Return the seconds after `begin` from which on all responses are 200 and in time."""
    late = [
        one.at - begin
        for one in load.samples
        if one.at >= begin and (one.status != 200 or one.seconds * 1000 > limit_ms)
    ]
    return max(late, default=0.0)


@dataclass
class Round:
    """The results of one round: rates per second, times in milliseconds, recovery in seconds."""

    capacity: float
    unloaded_p99: float
    answered: float
    accepted_p99: float
    refused: float
    lost: float
    recovery: float


async def measure(client: Client, times: float, seconds: float) -> Round:
    """Run all phases once."""
    await closed_loop(client, 1.0)  # warm up
    capacity = await closed_loop(client, seconds)
    calm = await open_loop(client, [(capacity * 0.2, seconds)])
    unloaded = percentile(calm.answered(), 0.99)
    load = await open_loop(client, [(capacity * times, seconds), (capacity * 0.5, seconds / 2)])
    over = Load([one for one in load.samples if one.at < seconds])
    limit = 3 * unloaded + 200
    return Round(
        capacity=capacity,
        unloaded_p99=unloaded,
        answered=len(over.answered()) / seconds,
        accepted_p99=percentile(over.answered(), 0.99),
        refused=over.count(503) / seconds,
        lost=over.count(0) / seconds,
        recovery=recovery(load, seconds, limit),
    )


def requests_of(url: str, mix: str, handle: str, password: str) -> list[bytes]:
    """Return the requests of a mix; members sign in first."""
    token = ""
    if mix == "members":
        response = httpx.post(
            f"{url}/api/auth/signin", json={"email": handle, "password": password}, trust_env=False
        )
        response.raise_for_status()
        token = f"Authorization: Bearer {response.json()['access_token']}\r\n"
    return [f"GET {path} HTTP/1.1\r\nHost: x\r\n{token}\r\n".encode() for path in PATHS[mix]]


@click.command()
@click.option("--url", default="http://127.0.0.1:4567", show_default=True)
@click.option("--mix", type=click.Choice(list(PATHS)), default="members", show_default=True)
@click.option("--times", default=3.0, show_default=True, help="The multiple of the capacity.")
@click.option("--seconds", default=8.0, show_default=True, help="The length of a phase.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--handle", default="andrewbrown", show_default=True)
@click.option("--password", default="here-today-gone-tomorrow")
def main(
    url: str, mix: str, times: float, seconds: float, rounds: int, handle: str, password: str
) -> None:
    """Measure how a service on this machine behaves at a multiple of its capacity."""
    parts = urlsplit(url)
    data = requests_of(url, mix, handle, password)

    async def all_rounds() -> list[Round]:
        found = []
        for _ in range(rounds):
            client = Client(parts.hostname or "127.0.0.1", parts.port or 80, data)
            await client.open()
            found.append(await measure(client, times, seconds))
            client.close()
            print(json.dumps({k: round(v, 1) for k, v in vars(found[-1]).items()}), flush=True)
            await asyncio.sleep(2)
        return found

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(all_rounds())
    for name in Round.__dataclass_fields__:
        show(name, [getattr(one, name) for one in found])
    show("share", [one.answered / one.capacity for one in found])


def show(name: str, values: Sequence[float]) -> None:
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{name:<13} {middle:8.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    sys.exit(main())
