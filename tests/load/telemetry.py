"""`make bench-telemetry`: what telemetry costs the home feed, in CPU time of the server.

Six servers on one database, each the only one at work in its turn: Cruddur with telemetry
off, sending every trace, and sending every tenth; and a bare Quart app with the stock
middleware, the same three ways. They take turns within each round, and a receiver of its
own process takes the traces. CPU time per request is what is compared: unlike the
throughput, it does not depend on who else uses the machine. Nothing here is a test.

    python tests/load/telemetry.py [ROUNDS REQUESTS]
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from footprint import rows

from cruddur.db.embedded import EmbeddedPostgres

ROUNDS = 7
REQUESTS = 3000
CONNECTIONS = 8
CRUDS = 10_000
TICKS = os.sysconf("SC_CLK_TCK")

TENTH = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}
TRACES = {"OTEL_METRICS_EXPORTER": "none"}
STOCK = "STOCK_TRACING"
MODES: dict[str, dict[str, str]] = {
    "cruddur, off": {"OTEL_SDK_DISABLED": "true"},
    "cruddur, 100 %": {**TRACES},
    "cruddur, 10 %": {**TRACES, **TENTH},
    "cruddur, 100 % and metrics": {},
    "stock, off": {STOCK: "off"},
    "stock, 100 %": {STOCK: "on"},
    "stock, 10 %": {STOCK: "on", **TENTH},
}


@dataclass
class Server:
    """A server under measurement."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def cpu(self) -> float:
        """CPU seconds of the process so far, all its threads together."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def main(rounds: int, requests: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        database = EmbeddedPostgres(Path(directory), durable=False)
        database.start()
        stack.callback(database.stop)
        database.create_database("bench")
        dsn = database.dsn("bench")
        asyncio.run(rows(dsn, CRUDS, 1.0))
        endpoint = stack.enter_context(receiver())
        servers = {
            name: stack.enter_context(serving(dsn, endpoint, environment))
            for name, environment in MODES.items()
        }
        costs: dict[str, list[float]] = {name: [] for name in MODES}
        rates: dict[str, list[float]] = {name: [] for name in MODES}
        for server in servers.values():
            load(server, requests // 3)
        for _ in range(rounds):
            for name, server in servers.items():
                cpu, start = server.cpu, time.perf_counter()
                load(server, requests)
                rates[name].append(requests / (time.perf_counter() - start))
                if "off" not in name:
                    time.sleep(1)  # what is queued is sent, and counts
                costs[name].append((server.cpu - cpu) / requests * 1e6)
    print(f"home, 40 cruds, {rounds} rounds of {requests} requests, {CONNECTIONS} connections")
    show(costs, rates)


def show(costs: dict[str, list[float]], rates: dict[str, list[float]]) -> None:
    print(f"{'':28}{'CPU us/request':>22}{'':>6}{'requests/s':>12}{'':>4}CPU against off")
    for name, found in costs.items():
        base = costs[f"{name.split(',')[0]}, off"]
        ratios = [on / max(off, 1) for on, off in zip(found, base, strict=True)]
        spread = f"({min(found):.0f} to {max(found):.0f})"
        print(
            f"{name:28}{median(found):8.0f} {spread:>16}{median(rates[name]):15.0f}"
            f"     {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


@contextmanager
def receiver() -> Iterator[str]:
    """A process that takes whatever is posted and answers 200; yields its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, __file__, "receive", str(port)])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def receive(port: int) -> None:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.lower().split(b"\r\n")
            length = next(int(x.split(b":")[1]) for x in lines if x.startswith(b"content-length"))
            await reader.readexactly(length)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await take(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", port)
    await server.serve_forever()


@contextmanager
def serving(dsn: str, endpoint: str, environment: dict[str, str]) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "cruddur", "serve"]
    if STOCK in environment:
        command = [
            sys.executable, "-m", "hypercorn", "--worker-class", "uvloop",
            "--workers", "0", "--bind", f"127.0.0.1:{port}", "stock:app",
        ]  # fmt: skip
    process = subprocess.Popen(
        command,
        cwd=Path(__file__).parent,
        env={
            **os.environ,
            "CONNECTION_URL": dsn,
            "PORT": str(port),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(process, port)
        yield Server(process, port)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("a server did not start")


def load(server: Server, requests: int) -> None:
    """So many requests over a few connections that are kept open."""
    asyncio.run(_load(server.port, requests))


async def _load(port: int, requests: int) -> None:
    request = b"GET /api/activities/home HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def ask(count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(head)
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
        writer.close()

    await asyncio.gather(*(ask(requests // CONNECTIONS) for _ in range(CONNECTIONS)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        asyncio.run(receive(int(sys.argv[2])))
    else:
        main(*map(int, sys.argv[1:3] or (ROUNDS, REQUESTS)))
