"""Post cruds at a constant rate, straight into a database, while a server is measured.

The writer is a process with a connection of its own, so all peers have the same neighbor. A post
that is late is made up for.

    python -m benchmarks.writer DSN RATE    # until its input ends
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import asyncpg

from benchmarks.database import AUTHOR
from benchmarks.servers import ROOT
from cruddur.db.statements import load

_CREATE = load("activities.create")


@contextmanager
def posting(dsn: str, rate: float) -> Iterator[None]:
    """Post cruds into a database; the first one is committed when this yields.

    Raises:
        subprocess.CalledProcessError: the writer failed.
    """
    command = [sys.executable, "-m", "benchmarks.writer", dsn, str(rate)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


async def _post(dsn: str, rate: float, end: asyncio.Future[str]) -> None:
    conn = await asyncpg.connect(dsn)
    values = {
        "viewer": AUTHOR.uuid,
        "session": AUTHOR.session_uuid,
        "message": "A crud that a neighbor posts",
        "lifetime": timedelta(hours=1),
        "tags": [],
        "mentions": [],
        "link": None,
        "pictures": [],
        "alts": [],
        "traceparent": "",
    }
    start, posted = time.monotonic(), 0
    while not end.done():
        if (left := start + posted / rate - time.monotonic()) > 0:
            await asyncio.wait((end,), timeout=left)
            continue
        if await conn.fetchrow(_CREATE.sql, *(values[name] for name in _CREATE.parameters)) is None:
            raise RuntimeError("the session of the writer is not open")
        posted += 1
        if posted == 1:
            print("posting", flush=True)
    await conn.close()


async def _main(dsn: str, rate: float) -> None:
    await _post(dsn, rate, asyncio.ensure_future(asyncio.to_thread(sys.stdin.read)))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], float(sys.argv[2])))
