"""`make bench`: memory of one worker at rest, and home over few and over many cruds.

Home is measured over real sockets, one request at a time, on databases that differ only
in their rows: 10,000 and 1,000,000 cruds of which 1 % are alive, and 10,000 all alive.
The databases take turns within each round, so that a slow minute of the machine hits
all of them; medians of the rounds are compared. Nothing here is a test: it prints.
"""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import asyncpg

from cruddur.db.embedded import EmbeddedPostgres
from cruddur.db.migrate import migrate

ROUNDS = 7
REQUESTS = 200
TABLES = {
    "10,000 cruds, 1 % alive": (10_000, 0.01),
    "10,000 cruds, all alive": (10_000, 1.0),
    "1,000,000 cruds, 1 % alive": (1_000_000, 0.01),
}

# The living are spread evenly among the dead, which is the hard case for a feed that
# reads the newest first: the sweeper, which would remove the dead, is held off.
FILL = """
INSERT INTO activities (user_uuid, message, created_at, expires_at)
SELECT
    (SELECT uuid FROM users LIMIT 1),
    'Crud number ' || n || ' of a long and busy month',
    now() - interval '30 days' * n / $1::integer,
    CASE
        WHEN n % round(1 / $2::numeric) = 0 THEN now() + interval '1 day'
        ELSE now() - interval '1 second'
    END
FROM generate_series(1, $1::integer) AS n
"""


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            dsns = {name: _fill(server, *table) for name, table in TABLES.items()}
            _measure(dsns)
        finally:
            server.stop()


def _fill(server: EmbeddedPostgres, count: int, alive: float) -> str:
    database = f"cruds_{count}_{round(alive * 100)}"
    server.create_database(database)
    dsn = server.dsn(database)
    asyncio.run(rows(dsn, count, alive))
    return dsn


async def rows(dsn: str, count: int, alive: float) -> None:
    await migrate(dsn)
    conn = await asyncpg.connect(dsn)
    await conn.execute(
        "INSERT INTO users (issuer, subject, handle, display_name)"
        " VALUES ('bench', 'bench', 'bench', 'Bench')"
    )
    await conn.execute(FILL, count, alive)
    await conn.execute("VACUUM ANALYZE")
    # Keep the sweepers of the servers under measurement away from the rows.
    await conn.close()


def _measure(dsns: dict[str, str]) -> None:
    with _hold_sweepers(dsns), _serving(dsns) as running:
        memory = [_resident(process.pid) for process, _ in running.values()]
        print(f"memory of one worker at rest: {max(memory):.1f} MB")
        rounds: dict[str, list[float]] = {name: [] for name in dsns}
        for _ in range(ROUNDS):
            for name, (_, port) in running.items():
                rounds[name].append(_home(port))
    print(f"\nhome, 40 cruds, {ROUNDS} rounds of {REQUESTS} requests, ms per request")
    print(f"{'':28}{'median':>8}{'least':>8}{'most':>8}")
    for name, times in rounds.items():
        print(f"{name:28}{median(times):8.2f}{min(times):8.2f}{max(times):8.2f}")
    few, full, many = (rounds[name] for name in TABLES)
    for name, base in (("1 % alive", few), ("all alive", full)):
        ratios = [slow / fast for slow, fast in zip(many, base, strict=True)]
        print(
            f"1,000,000 against 10,000 {name}: {median(ratios):.2f}"
            f" (rounds {min(ratios):.2f} to {max(ratios):.2f})"
        )


@contextmanager
def _hold_sweepers(dsns: dict[str, str]) -> Iterator[None]:
    """Hold every database's sweeper lock, as a sweeper of another machine would."""
    from cruddur.db.sweeper import LOCK

    runner = asyncio.Runner()
    conns = [runner.run(asyncpg.connect(dsn)) for dsn in dsns.values()]
    for conn in conns:
        runner.run(conn.execute(f"SELECT pg_advisory_lock({LOCK})"))
    yield
    for conn in conns:
        runner.run(conn.close())
    runner.close()


@contextmanager
def _serving(dsns: dict[str, str]) -> Iterator[dict[str, tuple[subprocess.Popen[bytes], int]]]:
    running = {}
    for name, dsn in dsns.items():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", "cruddur", "serve"],
            env={**os.environ, "CONNECTION_URL": dsn, "PORT": str(port)},
            stdout=subprocess.DEVNULL,
        )
        running[name] = (process, port)
    try:
        for process, port in running.values():
            _wait(process, port)
        yield running
    finally:
        for process, _ in running.values():
            process.send_signal(signal.SIGINT)
            process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _get(http.client.HTTPConnection("127.0.0.1", port), "/api/ready")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


def _home(port: int) -> float:
    """Milliseconds per request, the median of one round."""
    conn = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(20):
        _get(conn, "/api/activities/home")
    times = []
    for _ in range(REQUESTS):
        begin = time.perf_counter()
        _get(conn, "/api/activities/home")
        times.append((time.perf_counter() - begin) * 1000)
    conn.close()
    return median(times)


def _get(conn: http.client.HTTPConnection, path: str) -> None:
    conn.request("GET", path)
    answer = conn.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")


def _resident(pid: int) -> float:
    """Resident memory of a process in megabytes (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
