"""Measure one worker with and without a read replica, side by side, on one machine.

    make bench-replicas

Two services read the same primary, and one of them has a replica. They are loaded in turns, with
cruds posted meanwhile or not. On one machine the replica shares the processors with everything
else, so the rates do not show how reads scale. The CPU times show what moves to the replica, and
what asking the primary first costs.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg

from benchmarks.clients import Request, closed_loop
from benchmarks.database import MEMBERS, fill
from benchmarks.servers import OURS, Server, cpu_seconds, serving, tree
from benchmarks.writer import posting
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import issue
from outage import caught_up, own_server, own_standby

CRUDS = 10_000
ROUNDS, SHORT_ROUNDS = 3, 1
SECONDS, SHORT_SECONDS = 4.0, 1.0
POSTS = (0, 20, 100)
ADDRESSES = 300
"""More addresses than the response cache keeps, so no page is cached."""


@dataclass(frozen=True)
class Round:
    """One load of one service. CPU times are in milliseconds for each request.

    Attributes:
        rate: requests per second.
        latency: the median, in milliseconds.
        worker, primary, replica: CPU time of the service and of the two servers.
    """

    rate: float
    latency: float
    worker: float
    primary: float
    replica: float


@dataclass(frozen=True)
class Nodes:
    """The processes of the two servers."""

    primary: int
    replica: int


def requests(key: str, *, is_cached: bool) -> Sequence[Request]:
    """Return requests of members for home, of one address or of many."""
    made = []
    for number in range(ADDRESSES):
        member = MEMBERS[number % len(MEMBERS)]
        token = issue(
            KeyRing([key]),
            user_uuid=member.uuid,
            handle=member.handle,
            session_uuid=member.session_uuid,
        )
        path = "/api/activities/home" + ("" if is_cached else f"?n={number}")
        made.append(Request("GET", path, {"Authorization": f"Bearer {token}"}))
    return made


async def main(*, is_short: bool) -> int:
    """Measure and print; return the exit code."""
    rounds, seconds = (SHORT_ROUNDS, SHORT_SECONDS) if is_short else (ROUNDS, SECONDS)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        directory = Path(name)
        primary, data = stack.enter_context(own_server(directory / "primary"))
        dsn = primary.dsn("postgres")
        await fill(dsn, CRUDS)
        conn = await asyncpg.connect(dsn)
        await conn.execute("ALTER DATABASE postgres SET synchronous_commit = on")
        await conn.close()
        replica, copy = stack.enter_context(own_standby(primary, directory / "replica"))
        await caught_up(dsn, replica.dsn("postgres"))
        key = new_signing_key()
        environment = {
            "CONNECTION_URL": dsn,
            "CRUDDUR_DATA_DIRECTORY": str(directory / "data"),
            "CRUDDUR_SIGNING_KEY": key,
        }
        replicated = {**environment, "CRUDDUR_READ_URLS": replica.dsn("postgres")}
        services = {
            "primary alone": stack.enter_context(serving(OURS, 1, environment)),
            "with a replica": stack.enter_context(serving(OURS, 1, replicated)),
        }
        await asyncio.sleep(3)  # both have connected, and the replica is verified
        nodes = Nodes(_pid(data), _pid(copy))
        for is_cached in (False, True):
            for posts in POSTS:
                found: dict[str, list[Round]] = {name: [] for name in services}
                for _ in range(rounds):
                    for service, server in services.items():
                        sent = requests(key, is_cached=is_cached)
                        with posting(dsn, posts) if posts else nullcontext():
                            one = await _measure(server, nodes, sent, seconds)
                        found[service].append(one)
                _print(f"{'shared' if is_cached else 'computed'} pages, {posts} posts/s", found)
    return 0


async def _measure(server: Server, nodes: Nodes, sent: Sequence[Request], seconds: float) -> Round:
    before = _cpu(server, nodes)
    load = await asyncio.to_thread(closed_loop, server.port, sent, seconds)
    after = _cpu(server, nodes)
    worker, primary, replica = (
        1000 * (end - start) / load.requests for start, end in zip(before, after, strict=True)
    )
    return Round(load.rate, 1000 * load.p50, worker, primary, replica)


def _pid(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def _cpu(server: Server, nodes: Nodes) -> list[float]:
    return [
        server.cpu,
        *(sum(map(cpu_seconds, tree(pid))) for pid in (nodes.primary, nodes.replica)),
    ]


def _print(title: str, found: dict[str, list[Round]]) -> None:
    print(f"\n{title}: medians of {len(next(iter(found.values())))} rounds")
    print(f"{'':16}{'req/s':>8}{'p50 ms':>8}{'worker':>9}{'primary':>9}{'replica':>9}")
    for name, rounds in found.items():
        rate, latency, worker, primary, replica = (
            median(getattr(one, field) for one in rounds) for field in Round.__annotations__
        )
        print(f"{name:16}{rate:8.0f}{latency:8.1f}{worker:9.2f}{primary:9.2f}{replica:9.2f}")


if __name__ == "__main__":
    started = time.monotonic()
    code = asyncio.run(main(is_short="--short" in sys.argv))
    print(f"\n{time.monotonic() - started:.0f} s")
    sys.exit(code)
