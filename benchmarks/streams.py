"""`make bench-streams`: the cost of open streams, and whether each receives everything once.

Each kind of load has its own service and real sockets: the memory of many streams and the
delay of one crud to all of them; a steady flow of cruds; cruds written through one of three
workers; and the steady flow over a bus, if Redis or Valkey is installed. A separate process
reads the streams. The figures are printed with their goals, which do not affect the exit code.
A crud that a stream lost, or received twice or in another order, makes it 1.

    python -m benchmarks.streams [--short]
"""

import asyncio
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median
from threading import Timer
from typing import Any
from uuid import uuid4

import asyncpg

from benchmarks.clients import Connection, Request, connected, percentile
from benchmarks.reader import Report, reading
from benchmarks.servers import HOST, cpu_seconds, free_port, resident_bytes, wait
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import ISSUER, issue

STREAM_BYTES = 30_000
DELIVERY_SECONDS = 0.15
GROWN_BYTES = 2_000_000
"""Goals. A worker may grow a little in a steady minute, because it caches the newest events."""

WRITERS = 8

Sent = dict[int, float]
"""The time at which each crud was sent, by its number."""


@dataclass(frozen=True)
class Size:
    """The amounts.

    Attributes:
        streams: open streams in one worker.
        rounds: how often one crud is sent to all of them.
        pause: seconds between two rounds, and before memory is measured.
        steady_streams, rate, seconds: the steady flow; `rate` is in cruds per second.
        workers: the number of workers; cruds are written to one of them.
        shared_streams, shared_cruds: over all workers.
    """

    streams: int = 5000
    rounds: int = 7
    pause: float = 2.0
    steady_streams: int = 1000
    rate: float = 20.0
    seconds: float = 60.0
    workers: int = 3
    shared_streams: int = 300
    shared_cruds: int = 100


SHORT = Size(
    streams=100,
    rounds=2,
    pause=0.1,
    steady_streams=20,
    seconds=0.5,
    workers=2,
    shared_streams=40,
    shared_cruds=5,
)


@dataclass
class Server:
    """A service under measurement, and a member who can write there."""

    process: subprocess.Popen[bytes]
    port: int
    token: str

    @property
    def workers(self) -> list[int]:
        """The worker processes: the spawned ones, or the service itself."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        spawned = [
            int(child)
            for child in children
            if b"cruddur.process.worker" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
        return spawned or [pid]

    @property
    def memory(self) -> int:
        """Resident bytes of the workers."""
        return sum(map(resident_bytes, self.workers))

    @property
    def cpu(self) -> float:
        """CPU seconds of the workers with all their threads so far."""
        return sum(map(cpu_seconds, self.workers))

    @property
    def waited(self) -> float:
        """Seconds for which the workers' loops were ready to run but had no core."""
        figures = (Path(f"/proc/{pid}/schedstat").read_text().split() for pid in self.workers)
        return sum(int(waited) for _, waited, _ in figures) / 1e9

    @property
    def files(self) -> dict[int, int]:
        """The number of open files of each worker; a stream is one."""
        return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in self.workers}


class Spent:
    """The CPU time of a service from now on until `stop`."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.cpu, self.waited, self.seconds = -server.cpu, -server.waited, -time.monotonic()

    def stop(self) -> None:
        self.cpu += self._server.cpu
        self.waited += self._server.waited
        self.seconds += time.monotonic()

    def show(self, reports: Sequence[Report]) -> None:
        """Show the cost per delivery, and whether the service had a core of its own. Without one,
        its delays mean little."""
        deliveries = sum(len(report.delays) for report in reports)
        show("CPU of the worker per delivery, us", f"{self.cpu / max(deliveries, 1) * 1e6:.0f}")
        ran, waited = self.cpu / self.seconds, self.waited / self.seconds
        show("the worker ran, waited for a core", f"{ran:.0%}, {waited:.0%}")


class Bench:
    """Shared state of all measurements, with the faults found."""

    def __init__(self, database: EmbeddedPostgres, ask: Callable[..., Any]) -> None:
        self.ask = ask
        self.is_sound = True
        self._database = database
        self._pem = new_signing_key()
        self._numbers = count(1)

    @contextmanager
    def serving(self, name: str, **environment: str) -> Iterator[Server]:
        """Run the service on its own database."""
        self._database.create_database(name)
        dsn = self._database.dsn(name)
        token = asyncio.run(enter(dsn, self._pem))
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "cruddur", "serve"],
            env={
                **os.environ,
                "CONNECTION_URL": dsn,
                "PORT": str(port),
                "LOG_LEVEL": "WARNING",
                "CRUDDUR_SIGNING_KEY": self._pem,
                "CRUDDUR_STREAMS": "20000",
                "CRUDDUR_STREAMS_PER_ADDRESS": "20000",
                "CRUDDUR_RATE_EXEMPT": HOST,
                **environment,
            },
            stdout=sys.stderr,  # its log, at warning level
        )
        try:
            wait(process, port)
            yield Server(process, port, token)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)

    def post(self, server: Server, cruds: int, rate: float = 1.0, writers: int = 1) -> Sent:
        """Post cruds with consecutive numbers."""
        numbers = list(islice(self._numbers, cruds))
        return asyncio.run(write(server, numbers, rate, writers))

    def collect(self, sent: Sent) -> Report:
        """Collect their deliveries, and record faults."""
        report: Report = self.ask("collect", sent)
        self.is_sound &= report.is_sound
        return report

    def warm_up(self, server: Server) -> None:
        """Load everything that a first stream and a first crud need."""
        self.ask("open", HOST, server.port, 20)
        self.collect(self.post(server, 1))
        self.ask("close")


def main(size: Size) -> int:
    """Measure and print; return the exit code."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # child processes inherit it
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        database = EmbeddedPostgres(Path(directory), durable=False)
        database.start()
        stack.callback(database.stop)
        bench = Bench(database, stack.enter_context(reading()))
        with bench.serving("many") as server:
            many(bench, server, size)
        with bench.serving("steady") as server:
            steady(bench, server, size, size.seconds)
        with bench.serving("shared", WEB_CONCURRENCY=str(size.workers)) as server:
            shared(bench, server, size)
        over_a_bus(bench, size)
    return 0 if bench.is_sound else 1


def many(bench: Bench, server: Server, size: Size) -> None:
    """Measure the memory of open streams, and send one crud at a time to all of them."""
    print(f"{size.streams:,} streams, one worker")
    bench.warm_up(server)
    time.sleep(size.pause)
    before = server.memory
    seconds = bench.ask("open", HOST, server.port, size.streams)
    time.sleep(size.pause)
    each = (server.memory - before) / size.streams
    show("opened, streams a second", f"{size.streams / seconds:.0f}")
    show(
        "memory per stream, kB", f"{each / 1e3:.1f}",
        f"at most {STREAM_BYTES / 1e3:.0f}", each <= STREAM_BYTES,
    )  # fmt: skip
    reports, spent = [], Spent(server)
    for _ in range(size.rounds):
        reports.append(bench.collect(bench.post(server, 1)))
        time.sleep(size.pause)
    spent.stop()
    each = (server.memory - before) / size.streams
    show(f"memory per stream after {size.rounds} cruds, kB", f"{each / 1e3:.1f}")
    show_delays(reports, DELIVERY_SECONDS)
    spent.show(reports)
    show_faults(reports)
    bench.ask("close")
    time.sleep(size.pause)
    show("memory before they opened, MB", f"{before / 1e6:.1f}")
    show("memory after they closed, MB", f"{server.memory / 1e6:.1f}")


def steady(bench: Bench, server: Server, size: Size, seconds: float) -> None:
    """Send a flow of cruds to streams that stay open."""
    print(f"\n{size.steady_streams:,} streams, {size.rate:g} cruds a second for {seconds:g} s")
    bench.warm_up(server)
    bench.ask("open", HOST, server.port, size.steady_streams)
    early = seconds / 6
    memory: list[int] = []
    look = Timer(early, lambda: memory.append(server.memory))
    look.start()
    spent, reader_cpu = Spent(server), bench.ask("cpu")
    sent = bench.post(server, round(size.rate * seconds), size.rate, WRITERS)
    spent.stop()
    reader_cpu = bench.ask("cpu") - reader_cpu
    look.join()
    memory.append(server.memory)
    reports = [bench.collect(sent)]
    show(f"memory after {early:.2g} s, MB", f"{memory[0] / 1e6:.1f}")
    show(
        f"memory after {seconds:.2g} s, MB", f"{memory[1] / 1e6:.1f}",
        f"at most {GROWN_BYTES / 1e6:+.0f}", memory[1] - memory[0] <= GROWN_BYTES,
    )  # fmt: skip
    show_delays(reports)
    spent.show(reports)
    show("the reader ran", f"{reader_cpu / spent.seconds:.0%}")
    show_faults(reports)
    bench.ask("close")


def shared(bench: Bench, server: Server, size: Size) -> None:
    """Send cruds that are written through one of several workers."""
    print(f"\n{size.shared_streams:,} streams, {size.workers} workers, cruds written through one")
    bench.warm_up(server)
    for _ in range(20):  # otherwise the first worker that is ready gets all of them
        time.sleep(0.5)  # lets the previous streams close
        before = server.files
        bench.ask("open", HOST, server.port, size.shared_streams)
        spread = [files - before.get(pid, 0) for pid, files in server.files.items()]
        if len(before) == size.workers and min(spread) > 0:
            break
        bench.ask("close")
    show("streams of each worker", ", ".join(map(str, spread)))
    reports = [bench.collect(bench.post(server, size.shared_cruds, size.rate))]
    show_delays(reports)
    show_faults(reports)
    bench.ask("close")


def over_a_bus(bench: Bench, size: Size) -> None:
    """Send the steady flow, a quarter as long, over Redis or Valkey."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        print("\nover a bus: skipped, because neither redis-server nor valkey-server is installed")
        return
    port = free_port()
    command = [program, "--port", str(port), "--bind", HOST, "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait(process, port)
        with bench.serving("bus", CRUDDUR_BUS=f"redis://{HOST}:{port}") as server:
            print(f"\nover {Path(program).name}", end="")
            steady(bench, server, size, size.seconds / 4)
    finally:
        process.terminate()
        process.wait(10)


def show(what: str, figure: str, goal: str = "", is_met: bool | None = None) -> None:
    """Print a line of the table at once, because the whole table takes minutes."""
    verdict = {None: "", True: "met", False: "NOT MET"}[is_met]
    print(f"  {what:42}{figure:>24}   {goal:14}{verdict}".rstrip(), flush=True)


def show_delays(reports: Sequence[Report], goal: float | None = None) -> None:
    """Show the delays of deliveries: median, minimum and maximum of the rounds.

    Only the single-crud rounds have a goal: in a flow that uses the whole machine, the delays
    depend on what capacity is left.
    """
    for name, share in (("p50", 0.5), ("p99", 0.99), ("longest", 1.0)):
        found = [1000 * percentile(report.delays, share) for report in reports]
        figure = f"{median(found):.0f}"
        if len(found) > 1:
            figure += f" ({min(found):.0f} to {max(found):.0f})"
        goals: tuple[str, bool] | tuple[()] = ()
        if goal is not None and name == "p99":
            goals = (f"at most {1000 * goal:.0f}", median(found) <= 1000 * goal)
        show(f"delivery, {name}, ms", figure, *goals)


def show_faults(reports: Sequence[Report]) -> None:
    """Show the faults found."""
    delivered = sum(len(report.delays) for report in reports)
    show("delivered", f"{delivered:,} of {sum(report.expected for report in reports):,}")
    for fault in ("lost", "doubled", "disordered", "broken"):
        found = sum(getattr(report, fault) for report in reports)
        show(fault, f"{found:,}", "none", found == 0)


async def enter(dsn: str, pem: str) -> str:
    """Migrate, create a member, and return the access token."""
    await migrate(dsn)
    user_uuid = uuid4()
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "INSERT INTO users (uuid, issuer, subject, handle, display_name)"
        " VALUES ($1, $2, $3, 'bench', 'Bench')",
        user_uuid, ISSUER, str(user_uuid),
    )  # fmt: skip
    session_uuid = await conn.fetchval(
        "INSERT INTO sessions (user_uuid, device, address, expires_at)"
        " VALUES ($1, 'bench', $2, now() + interval '1 day') RETURNING uuid",
        user_uuid, HOST,
    )  # fmt: skip
    await conn.close()
    return issue(KeyRing([pem]), user_uuid=user_uuid, handle="bench", session_uuid=session_uuid)


async def write(server: Server, numbers: Sequence[int], rate: float, writers: int) -> Sent:
    """Post a crud of each number when it is due, however long earlier ones take."""
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    sent: Sent = {}

    async def post(number: int) -> None:
        sent[number] = time.monotonic()
        connection = await idle.get()
        body = json.dumps({"message": f"Crud {number}", "ttl": "1-hour"})
        crud = Request("POST", "/api/activities", headers, body).encode()
        idle.put_nowait(await connections.ask(connection, crud))

    async with connected(server.port) as connections:
        # Reuse the most recently used connection, so that one is enough as long as possible.
        idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for _ in range(writers):
            idle.put_nowait(await connections.open())
        async with asyncio.TaskGroup() as posts:
            start = time.monotonic()
            for turn, number in enumerate(numbers):
                await asyncio.sleep(start + turn / rate - time.monotonic())
                posts.create_task(post(number))
    return sent


if __name__ == "__main__":
    sys.exit(main(SHORT if sys.argv[1:] == ["--short"] else Size()))
