"""The servers under measurement, and the receiver of their traces."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1"
TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

OURS = "cruddur"
UVICORN = "cruddur-uvicorn"
WIRING = "cruddur-hypercorn"
STOCK_WIRING = "stock-wiring"
FASTAPI = "fastapi"
FLOOR = "floor"
PEERS = (OURS, UVICORN, "flask", FASTAPI, "quart", FLOOR)


@dataclass(frozen=True)
class Server:
    """A server under measurement, with all its workers."""

    process: subprocess.Popen[bytes]
    port: int
    dsn: str

    @property
    def pids(self) -> list[int]:
        """The process ids of the server and all its descendants."""
        return tree(self.process.pid)

    @property
    def cpu(self) -> float:
        """The CPU seconds of all processes and threads so far."""
        return sum(map(cpu_seconds, self.pids))

    @property
    def memory(self) -> int:
        """The resident bytes of the largest process, which is a worker."""
        return max(map(resident_bytes, self.pids))


def tree(root: int) -> list[int]:
    """Return a process id and those of all its descendants."""
    found = [root]
    for pid in found:
        with suppress(OSError):  # it has just ended, such as a decoder of pictures
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):  # a thread of a pool has just ended
                    found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads so far; 0 if it has just ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 if it has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def command(peer: str, workers: int, port: int) -> list[str]:
    """Return the command for a peer, as the documentation of its server recommends."""
    python = [sys.executable, "-m"]
    bind = f"{HOST}:{port}"
    # gunicorn recommends two to four threads per core; this is for two cores.
    gunicorn = ["--worker-class", "gthread", "--threads", "8", "--keep-alive", "75"]
    uvicorn = [
        *python, "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log",
        "--workers", str(workers), "--host", HOST, "--port", str(port), "--log-level", "warning",
    ]  # fmt: skip
    # Without workers, Hypercorn serves in its own process.
    hypercorn = [
        "--worker-class", "uvloop", "--workers", str(workers if workers > 1 else 0),
        "--bind", bind, "--log-level", "warning",
    ]  # fmt: skip
    commands = {
        OURS: [*python, "cruddur", "serve"],
        UVICORN: [*uvicorn, "cruddur.asgi:app"],
        "flask": [
            *python, "gunicorn", *gunicorn, "--workers", str(workers), "--bind", bind,
            "--worker-tmp-dir", "/dev/shm", "--log-level", "warning",
            "benchmarks.peers.flask_app:app",
        ],
        FASTAPI: [*uvicorn, "benchmarks.peers.fastapi_app:app"],
        "quart": [*python, "hypercorn", *hypercorn, "benchmarks.peers.quart_app:app"],
        WIRING: [*python, "hypercorn", *hypercorn, "cruddur.asgi:app"],
        STOCK_WIRING: [*python, "hypercorn", *hypercorn, "benchmarks.peers.stock_wiring:app"],
        FLOOR: [*python, "hypercorn", *hypercorn, "benchmarks.peers.floor:app"],
    }  # fmt: skip
    return commands[peer]


@contextmanager
def serving(peer: str, workers: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a peer, from when it listens until it has stopped."""
    port = free_port()
    process = subprocess.Popen(
        command(peer, workers, port),
        cwd=ROOT,
        env={
            **os.environ,
            "PORT": str(port),
            "WEB_CONCURRENCY": str(workers),
            "OTEL_SERVICE_NAME": peer,
            "OTEL_METRICS_EXPORTER": "none",
            "CRUDDUR_RATE_EXEMPT": HOST,
            "CRUDDUR_OVERLOAD_DELAY": "0",  # the peers queue requests; a refusal ends a measurement
            "OTEL_PYTHON_EXCLUDED_URLS": "health-check",  # Cruddur does not trace it either
            **environment,
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        wait(process, port)
        yield Server(process, port, environment["CONNECTION_URL"])
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


@contextmanager
def receiver() -> Iterator[str]:
    """Run a process that accepts every POST with 200; yield its address."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.servers", str(port)], cwd=ROOT)
    try:
        wait(process, port)
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(10)


async def _receive(port: int) -> None:
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

    server = await asyncio.start_server(serve_one, HOST, port)
    await server.serve_forever()


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a process listens on the port."""
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("a server did not start")


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(_receive(int(sys.argv[1])))
