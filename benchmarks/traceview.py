"""`make bench-traceview`: measure the trace explorer with a million spans.

The spans are sent over OTLP/HTTP to a process on one core. Then each of the ten questions
is asked over HTTP, with all cores, and the process is killed and started again. Nothing here is
a test; the exit code is 1 if a goal is missed.

    python -m benchmarks.traceview [SPANS]
"""

import gzip
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.servers import HOST, ROOT, cpu_seconds, free_port
from benchmarks.spans import export_requests, log_requests

SPANS = 1_000_000
RANGE = "2h"
SENDERS = 2
ROUNDS = 7
WARM_UP = 2
GZIP_LEVEL = 1

INGEST_GOAL = 5_000
MEMORY_GOAL_MB = 250
QUERY_GOAL_MS = 300
RANKING_GOAL_MS = 1_000
ACKNOWLEDGED_SECONDS = 1.0


class Question(NamedTuple):
    """A question, the requests that answer it, and in how many milliseconds they have to."""

    text: str
    requests: tuple[tuple[str, dict[str, str]], ...]
    goal_ms: float = QUERY_GOAL_MS


def query(text: str, **arguments: str) -> tuple[str, dict[str, str]]:
    """Return the request of a query."""
    return "query", {"q": text, "since": RANGE, **arguments}


def difference(text: str, **arguments: str) -> tuple[str, dict[str, str]]:
    """Return the request of a comparison."""
    return "difference", {"q": text, "since": RANGE, **arguments}


def questions(middle: str, start: str, moment: str, later: str, trace: str) -> list[Question]:
    """Return the ten questions; the arguments are times within the data, and a trace."""
    return [
        Question("1 slowest route", (query("from roots | p95(duration), count by route"),)),
        Question("2 user with the errors", (query("from roots where error | count by user"),)),
        Question(
            "3 change between two periods",
            (difference("from roots", before=f"{start}..{middle}", after=f"{middle}.."),),
            RANKING_GOAL_MS,
        ),
        Question(
            "4 statement with the most time",
            (query("where statement exists | sum(duration), count by statement"),),
        ),
        Question(
            "5 slow requests in common",
            (difference("from roots", selection="duration > 40ms"),),
            RANKING_GOAL_MS,
        ),
        Question(
            "6 repeated statements",
            (
                query(
                    "from roots where trace.repetitions > 5 "
                    "| count by route, trace.repeated_statement"
                ),
            ),
        ),
        Question(
            "7 lost time: longest parts, a trace",
            (
                query("from roots | count, p95(duration) by trace.longest_part"),
                (f"traces/{trace}", {}),
            ),
        ),
        Question(
            "8 failed background job",
            (
                query(
                    "where error and parent_span_id not exists and not kind in (server, consumer) "
                    "| count by name, error.type",
                    background="1",
                ),
            ),
        ),
        Question(
            "9 log lines around a moment",
            (("query", {"q": "from logs", "since": moment, "until": later}),),
        ),
        Question(
            "10 rate, errors, latency by route",
            (query("from roots | rate, errors, p95(duration) by route every 1m"),),
        ),
        Question("heat map", (query("from roots | heatmap(duration)"),)),
        Question(
            "group by an attribute without a column",
            (query("from roots | count by user_agent.original"),),
        ),
        Question(
            "ranking of all spans: errors",
            (difference("", selection="error"),),
            RANKING_GOAL_MS,
        ),
        Question(
            "ranking of all spans: slow statements",
            (difference("where statement exists", selection="duration > 20ms"),),
            RANKING_GOAL_MS,
        ),
    ]


class Table:
    """Measurements with their goals, printed as they are made."""

    def __init__(self) -> None:
        """Start without a missed goal."""
        self.missed = 0

    def add(self, what: str, value: str, goal: str = "", *, is_met: bool = True) -> None:
        """Print a line."""
        verdict = "" if not goal else "met" if is_met else "MISSED"
        self.missed += not is_met
        print(f"{what:44}{value:>26}  {goal:28}{verdict}", flush=True)


def main(count: int) -> int:
    """Measure, print, and return the exit code."""
    table = Table()
    print(f"{count} spans, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "traces.duckdb"
        with explorer(file, cores={min(os.sched_getaffinity(0))}) as server:
            measure_ingest(table, server, count)
            measure_disk(table, server, count)
        with explorer(file) as server:
            measure_questions(table, server)
            measure_kill(table, server, file)
    print("all goals are met" if not table.missed else f"{table.missed} goals are missed")
    return int(table.missed > 0)


class Explorer(NamedTuple):
    """A running explorer."""

    process: "subprocess.Popen[bytes]"
    http: httpx.Client

    def json(self, endpoint: str, **arguments: str) -> Any:
        """Return the response of an endpoint of the API."""
        response = self.http.get(f"/api/{endpoint}", params=arguments)
        response.raise_for_status()
        return response.json()

    def count(self, text: str) -> int:
        """Return the number of rows of a query."""
        [[count]] = self.json("query", q=f"{text} | count", since=RANGE, background="1")["rows"]
        return int(count)

    @property
    def memory_mb(self) -> float:
        """The largest resident memory so far, in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024 / 1e6


@contextmanager
def explorer(file: Path, cores: set[int] | None = None) -> Iterator[Explorer]:
    """Run an explorer with a file, on some cores if they are given, until it responds."""
    port, all_cores = free_port(), os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores or all_cores)
    try:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "traceview", "--bind", f"{HOST}:{port}"),
                *("--file", str(file), "--max-mb", "4000"),
            ],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
    finally:
        os.sched_setaffinity(0, all_cores)
    http = httpx.Client(base_url=f"http://{HOST}:{port}", timeout=120, trust_env=False)
    try:
        while not _responds(http):
            if process.poll() is not None:
                raise RuntimeError("the explorer did not start")
            time.sleep(0.02)
        yield Explorer(process, http)
    finally:
        http.close()
        process.send_signal(signal.SIGTERM)
        process.wait()


def _responds(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").is_success
    except httpx.TransportError:
        return False


def measure_ingest(table: Table, server: Explorer, count: int) -> None:
    """Send the spans and log lines as fast as they are taken."""
    context = get_context("spawn")
    bodies: Any = context.Queue(maxsize=16)
    until = time.time_ns()
    maker = context.Process(target=_make, args=(bodies, count, until), daemon=True)
    maker.start()
    first = bodies.get()
    started, cpu = time.monotonic(), cpu_seconds(server.process.pid)
    senders = [
        threading.Thread(target=_send, args=(server, bodies, first if number == 0 else None))
        for number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    stored = server.count("")  # waits until everything is written
    seconds = time.monotonic() - started
    cpu = cpu_seconds(server.process.pid) - cpu
    maker.join()
    lines = server.count("from logs")
    rate = stored / cpu
    table.add(
        "ingest, spans a second of CPU",
        f"{rate:,.0f}",
        f"at least {INGEST_GOAL:,}",
        is_met=rate >= INGEST_GOAL,
    )
    table.add("ingest, spans a second of wall time", f"{stored / seconds:,.0f}")
    table.add("stored spans, and log lines", f"{stored:,}, {lines:,}")
    if stored < count:
        table.add("spans that were lost", f"{count - stored:,}", "none", is_met=False)
    table.add(
        "memory while spans arrive, MB",
        f"{server.memory_mb:.0f}",
        f"at most {MEMORY_GOAL_MB}",
        is_met=server.memory_mb <= MEMORY_GOAL_MB,
    )


def _make(bodies: Any, count: int, until_ns: int) -> None:
    """Put the compressed requests into a queue, and a None for each sender."""
    since_ns = until_ns - 3_600_000_000_000
    for body in export_requests(count, since_ns, until_ns):
        bodies.put(("traces", gzip.compress(body, GZIP_LEVEL)))
    for body in log_requests(count // 20, since_ns, until_ns):
        bodies.put(("logs", gzip.compress(body, GZIP_LEVEL)))
    for _ in range(SENDERS):
        bodies.put(None)


def _send(server: Explorer, bodies: Any, first: tuple[str, bytes] | None) -> None:
    item = first or bodies.get()
    while item is not None:
        while not _accepted(server, *item):
            time.sleep(1)  # as Retry-After says
        item = bodies.get()


def _accepted(server: Explorer, signal_name: str, body: bytes) -> bool:
    response = server.http.post(
        f"/v1/{signal_name}",
        content=body,
        headers={"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"},
    )
    if response.status_code == 503:
        return False
    response.raise_for_status()
    return True


def measure_disk(table: Table, server: Explorer, count: int) -> None:
    """Report the size of the file."""
    size = server.json("storage")["bytes"]
    table.add("disk, MB", f"{size / 1e6:.0f}")
    table.add("disk, bytes a span", f"{size / count:.0f}")


def measure_questions(table: Table, server: Explorer) -> None:
    """Ask each question several times, and compare the median with its goal."""
    now = time.time()
    times = [_iso(now - ago) for ago in (1800, 7200, 1500, 1495)]
    [newest] = server.json("query", q="from roots limit 1", since=RANGE)["rows"]
    trace = next(cell for cell in newest if isinstance(cell, str) and len(cell) == 32)
    for text, requests, goal in questions(*times, trace):
        taken, cpu = [], 0.0
        for turn in range(WARM_UP + ROUNDS):
            if turn == WARM_UP:
                cpu = cpu_seconds(server.process.pid)
            started = time.perf_counter()
            for endpoint, arguments in requests:
                server.json(endpoint, **arguments)
            taken.append((time.perf_counter() - started) * 1e3)
        median = statistics.median(taken[WARM_UP:])
        spread = f"{median:.0f} ({min(taken[WARM_UP:]):.0f} to {max(taken[WARM_UP:]):.0f})"
        cpu = (cpu_seconds(server.process.pid) - cpu) / ROUNDS * 1e3
        goal_text = f"at most {goal:g}; CPU {cpu:.0f}"
        table.add(f"{text}, ms", spread, goal_text, is_met=median <= goal)
    table.add(
        "memory while questions are asked, MB",
        f"{server.memory_mb:.0f}",
        f"at most {MEMORY_GOAL_MB}",
        is_met=server.memory_mb <= MEMORY_GOAL_MB,
    )


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def measure_kill(table: Table, server: Explorer, file: Path) -> None:
    """Kill the process a second after it has acknowledged spans, and look for them again."""
    before, received = server.count(""), _received(server)
    now = time.time_ns()
    for body in export_requests(5_000, now - 10**9, now):
        while not _accepted(server, "traces", gzip.compress(body)):
            time.sleep(1)
    acknowledged = _received(server) - received
    time.sleep(ACKNOWLEDGED_SECONDS)
    server.process.kill()
    server.process.wait()
    started = time.monotonic()
    with explorer(file) as again:
        seconds = time.monotonic() - started
        stored = again.count("") - before
    table.add("start with the file, s", f"{seconds:.1f}")
    table.add(
        "spans that are stored after a kill",
        f"{stored:,}",
        f"{acknowledged:,}",
        is_met=stored == acknowledged,
    )


def _received(server: Explorer) -> int:
    return int(server.http.get("/healthz").json()["received"]["items"])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else SPANS))
