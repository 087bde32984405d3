"""`make bench-commits`: posts a second at commit, with and without events.

pgbench inserts cruds with 1, 4 and 16 writers into an embedded PostgreSQL that is durable. Commits
take their time on this disk, or 3 ms longer: a library that is loaded into the server sleeps before
each `fdatasync`, as a slower disk would. It is compiled with `cc`; without a compiler, that part is
skipped. Three versions take turns within each round:

- without events: the trigger that records them is disabled;
- with events: the trigger records them, and two processes follow them, of which one notifies the
  other of its commits, at most every 20 ms;
- with locks: as before migration 0010, the trigger records them under a lock and notifies.

    python -m benchmarks.commits [--short]
"""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest.mock import patch

import asyncpg

from benchmarks.database import AUTHOR, fill
from cruddur.concurrency.tasks import cancel_tasks
from cruddur.db import embedded, live
from cruddur.db.embedded import EmbeddedPostgres

DATABASE = "commits"
SLOWER_MILLISECONDS = 3
GOAL = 0.8
"""Posts with events against posts without, with 16 writers and slow commits."""

POST = f"""
INSERT INTO activities (user_uuid, message, expires_at)
VALUES ('{AUTHOR.uuid}', 'A crud of the benchmark', now() + interval '1 hour');
"""

SLOW_SYNC = f"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fdatasync(int file)
{{
    static int (*real)(int);
    if (!real)
        real = dlsym(RTLD_NEXT, "fdatasync");
    usleep({SLOWER_MILLISECONDS * 1000});
    return real(file);
}}
"""

_LOCKED = """
CREATE OR REPLACE FUNCTION record_event(
    event_kind text, subject uuid DEFAULT NULL, member uuid DEFAULT NULL, parent uuid DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(45670003);
    INSERT INTO events (kind, subject_uuid, user_uuid, parent_uuid, traceparent)
    VALUES (
        event_kind, subject, member, parent,
        NULLIF(current_setting('cruddur.traceparent', true), '')
    );
    PERFORM pg_notify('cruddur_events', '');
END
$$
"""

_TRIGGER = "ALTER TABLE activities {} TRIGGER activities_record_created"

VERSIONS = ("without events", "with events", "with locks")


@dataclass(frozen=True)
class Size:
    """With how many writers, how often, and for how many seconds each version runs."""

    writers: tuple[int, ...] = (1, 4, 16)
    rounds: int = 3
    seconds: int = 4


async def follow(dsn: str, *, notifies: bool) -> None:
    """Follow the log as a process does that has open streams, and commits in between."""
    conn, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        woken = asyncio.Event()
        own = await live.listen(conn)
        await conn.add_listener(live.CHANNEL, lambda *_: woken.set())
        position = (await live.select_now(conn)).position
        while True:
            if notifies:
                await live.notify(other, sender="bench", own_process_id=own)
                await asyncio.sleep(0.02)
            else:
                await woken.wait()
                woken.clear()
            end = (await live.select_now(conn)).position
            await live.select_events(conn, after=position, until=end, limit=100_000)
            position = end
    finally:
        conn.terminate()
        other.terminate()


@asynccontextmanager
async def prepared(dsn: str, version: str, recorded: str) -> AsyncIterator[None]:
    """Set up the database and the followers for one version."""
    conn = await asyncpg.connect(dsn)
    await conn.execute(_TRIGGER.format("DISABLE" if version == "without events" else "ENABLE"))
    await conn.execute(_LOCKED if version == "with locks" else recorded)
    await conn.execute("TRUNCATE activities, events CASCADE")
    await conn.execute("CHECKPOINT")
    await conn.close()
    tasks = []
    if version == "with events":
        tasks = [asyncio.create_task(follow(dsn, notifies=notifies)) for notifies in (True, False)]
    try:
        yield
    finally:
        await cancel_tasks(*tasks)


async def measure(server: EmbeddedPostgres, script: Path, writers: int, seconds: int) -> float:
    """Return the posts a second of some writers."""
    arguments = ("-n", "-M", "prepared", "-c", str(writers), "-j", str(min(writers, 2)))
    output = await asyncio.to_thread(
        server.run_tool, "pgbench", *arguments, "-T", str(seconds), "-f", str(script), DATABASE
    )
    match = re.search(r"tps = ([\d.]+)", output)
    if match is None:
        raise RuntimeError(output)
    return float(match[1])


async def compare(server: EmbeddedPostgres, script: Path, size: Size) -> list[bool]:
    """Measure and print every number of writers; return whether each reaches the goal."""
    dsn = server.dsn(DATABASE)
    conn = await asyncpg.connect(dsn)
    recorded = await conn.fetchval("SELECT pg_get_functiondef('record_event'::regproc)")
    await conn.close()
    reached = []
    for writers in size.writers:
        found: dict[str, list[float]] = {version: [] for version in VERSIONS}
        for _ in range(size.rounds):
            for version in VERSIONS:
                async with prepared(dsn, version, recorded):
                    found[version].append(await measure(server, script, writers, size.seconds))
        without, *others = (median(found[version]) for version in VERSIONS)
        figures = "".join(f"{rate:14,.0f} {rate / without:6.2f} x" for rate in others)
        print(f"  {writers:7}{without:17,.0f}{figures}", flush=True)
        reached.append(others[0] / without >= GOAL)
    conn = await asyncpg.connect(dsn)
    await conn.execute(recorded)
    await conn.close()
    return reached


@contextmanager
def slow_commits(directory: Path) -> Iterator[None]:
    """Load the library into servers that start meanwhile."""
    library = directory / "slow_sync.so"
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), "-ldl"]
    subprocess.run(command, input=SLOW_SYNC, text=True, check=True)
    environment = {**embedded.program_environment(), "LD_PRELOAD": str(library)}
    with patch.object(embedded, "program_environment", lambda: environment):
        yield


def show_header(name: str) -> None:
    """Print the header of a table."""
    print(f"\n{name}: posts a second, and the ratio to those without events")
    print(f"  {'writers':7}{VERSIONS[0]:>17}{VERSIONS[1]:>23}{VERSIONS[2]:>23}")


def main(size: Size) -> None:
    """Measure and print both tables."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)  # the server may run as another user
        script = directory / "post.sql"
        script.write_text(POST)
        server = EmbeddedPostgres(directory / "postgres")
        server.start()
        try:
            server.create_database(DATABASE)
            asyncio.run(fill(server.dsn(DATABASE), 1))
            show_header("commits as they are")
            asyncio.run(compare(server, script, size))
        finally:
            server.stop()
        if shutil.which("cc") is None:
            print("\ncommits 3 ms slower: skipped, because there is no C compiler (cc)")
            return
        with slow_commits(directory):
            server.start()
        try:
            show_header(f"commits {SLOWER_MILLISECONDS} ms slower")
            *_, reached = asyncio.run(compare(server, script, size))
        finally:
            server.stop()
    goal = f"with events at least {GOAL} x without"
    verdict = "met" if reached else "NOT MET"
    print(f"\n{size.writers[-1]} writers, slower commits: {goal}   {verdict}")


if __name__ == "__main__":
    main(Size(writers=(2,), rounds=1, seconds=1) if "--short" in sys.argv[1:] else Size())
