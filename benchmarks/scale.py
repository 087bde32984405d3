"""`make bench-scale`: predict shards, and measure them.

A shard is a service with one worker and a PostgreSQL server of its own, which together may use
a quarter of a core: a control group enforces it, so that four shards and their client fit on two
cores.
Authors are spread over the shards. A post and a profile visit the shard of the author. Home fans
in: all shards are asked for their newest cruds, and the answers are merged and cut to a page.

Each round begins with one limited shard, which gets one kind of request at a time. The CPU times
for each request, with their part of sweeps and other work of the shard, are the only measured
inputs of the simulator (benchmarks/simulation.py). It predicts the rate and the median latency of
1, 2 and 4 shards, also with other mixes, which are then measured. Prints both, with the error. On a
busy machine, the CPU time of the same request changes from one load to the next. So it also prints
the error with the CPU time of the load itself, which is the error of the queues alone.

The exit code is 1 if a rate is off by more than 15 %. Control groups require root on Linux; without
them, the measurement is skipped. `--plan` prints the arithmetic of docs/scaling.md instead
(benchmarks/capacity.py).

    python -m benchmarks.scale [--short | --plan]
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import capacity
from benchmarks.clients import Client, Request, percentile
from benchmarks.database import MEMBERS, fill
from benchmarks.routes import HOME, PROFILE, post
from benchmarks.servers import OURS, TICKS, Server, cpu_seconds, serving, tree
from benchmarks.simulation import PERIOD, Kind, Outcome, Simulation, System
from cruddur.db.embedded import EmbeddedPostgres
from cruddur.identity.keys import KeyRing, new_signing_key
from cruddur.identity.tokens import issue
from cruddur.wire import PAGE_DEFAULT

SHARDS = (1, 2, 4)
QUOTA = 0.25
"""Cores of each shard."""

CLIENTS = 8
"""Clients for each shard: as many wait at a shard, however many shards there are."""

CRUDS = 4_000
GOAL = 0.15

MIXES: Mapping[str, Mapping[str, float]] = {
    "posts": {"post": 1.0},
    "profiles": {"profile": 1.0},
    "home": {"home": 1.0},
    "mix": {"home": 0.5, "profile": 0.3, "post": 0.2},
}
"""The shares of the kinds of requests in each load."""

FANS_IN = frozenset({"home"})

CPU_WEIGHT = 20_000
"""The shares of the shards and of the client against other programs: they get their quota also on a
machine that does other work. The default is 1024."""


@dataclass(frozen=True)
class Size:
    """How often and for how many seconds each load runs."""

    rounds: int = 3
    seconds: float = 6.0


@dataclass(frozen=True)
class Cost:
    """What one request of a kind costs, in CPU seconds.

    Attributes:
        worker, database: of the service and of PostgreSQL.
        client: of the client and gateway, for each shard that it asks.
    """

    worker: float
    database: float
    client: float

    @property
    def total(self) -> float:
        """The CPU seconds of the shard."""
        return self.worker + self.database


@dataclass(frozen=True)
class Shard:
    """A service and its database."""

    server: Server
    database: int

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the service and of PostgreSQL so far."""
        database = sum(map(cpu_seconds, tree(self.database)))
        return self.server.cpu, database + ended_seconds(self.database)


@dataclass(frozen=True)
class Measured:
    """One load. `seconds` are those of the load, and `requests` those of its clients.

    `used` is the mean share of their quota that the shards have used.
    """

    requests: int
    seconds: float
    p50: float
    used: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds


def ended_seconds(pid: int) -> float:
    """Return the CPU time of the children of a process that have ended, such as those of sweeps."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / TICKS


class Group:
    """A control group with a share of the CPU, and a quota if there is one."""

    def __init__(self, name: str) -> None:
        """Create it. Raises OSError without the permission, or without control groups."""
        first, second = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
        self._is_first = first.is_dir()
        self._path = (first if self._is_first else second) / f"cruddur-{name}"
        if not self._is_first:
            (second / "cgroup.subtree_control").write_text("+cpu")
        self._path.mkdir(exist_ok=True)
        if self._is_first:
            self._write("cpu.shares", str(CPU_WEIGHT))
        else:
            self._write("cpu.weight", "10000")

    def limit(self, cores: float | None) -> None:
        """Set the quota, or remove it."""
        if self._is_first:
            self._write("cpu.cfs_period_us", "100000")
            self._write("cpu.cfs_quota_us", "-1" if cores is None else str(round(cores * 1e5)))
        else:
            self._write("cpu.max", "max" if cores is None else f"{round(cores * 1e5)} 100000")

    def take(self, pid: int) -> None:
        """Move a process and its descendants into the group; those that they start follow."""
        for one in tree(pid):
            with suppress(ProcessLookupError):
                self._write("cgroup.procs", str(one))

    def close(self) -> None:
        """Move the processes out, and remove the group."""
        for pid in (self._path / "cgroup.procs").read_text().split():
            with suppress(OSError):
                (self._path.parent / "cgroup.procs").write_text(pid)
        with suppress(OSError):
            self._path.rmdir()

    def _write(self, file: str, text: str) -> None:
        (self._path / file).write_text(text)


@contextmanager
def group(name: str) -> Iterator[Group]:
    """Create a control group, and remove it at the end."""
    created = Group(name)
    try:
        yield created
    finally:
        created.close()


class Gateway:
    """Sends each request to the shards that it concerns, and merges their answers."""

    def __init__(self, shards: Sequence[Shard], key: str) -> None:
        self._shards = shards
        keys = KeyRing([key])
        self._headers = [
            {
                "Authorization": "Bearer "
                + issue(
                    keys,
                    user_uuid=member.uuid,
                    handle=member.handle,
                    session_uuid=member.session_uuid,
                )
            }
            for member in MEMBERS
        ]
        self._chance = random.Random(1)
        self._number = 0

    async def load(self, mix: Mapping[str, float], seconds: float) -> Measured:
        """Let the clients send requests, each after the response to the one before."""
        taken: list[float] = []
        start = time.perf_counter()

        async def client() -> None:
            connections = [Client(shard.server.port) for shard in self._shards]
            while (begin := time.perf_counter()) < start + seconds:
                [kind] = self._chance.choices(list(mix), list(mix.values()))
                await self._send(kind, connections)
                taken.append(time.perf_counter() - begin)
            for connection in connections:
                connection.close()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(CLIENTS * len(self._shards)):
                tasks.create_task(client())
        return Measured(len(taken), time.perf_counter() - start, percentile(sorted(taken), 0.5))

    async def _send(self, kind: str, connections: Sequence[Client]) -> None:
        request = self._request(kind)
        if kind not in FANS_IN:
            connections = [self._chance.choice(connections)]
        answers = await asyncio.gather(*(one.send(request) for one in connections))
        for status, body in answers:
            if status != 200:
                raise RuntimeError(f"{request.line}: {status} {body[:200]!r}")
        if len(answers) > 1:
            merge([json.loads(body) for _, body in answers])

    def _request(self, kind: str) -> Request:
        headers = self._chance.choice(self._headers)
        self._number += 1
        # Each address is another one, so that no page is cached.
        if kind == "home":
            return Request("GET", f"{HOME}?n={self._number}", headers)
        if kind == "profile":
            return Request("GET", f"{PROFILE}?shape=list&n={self._number}", headers)
        crud = {"message": f"Crud {self._number} of a shard", "ttl": "1-day"}
        return post("/api/activities", headers, crud)


def merge(pages: Sequence[Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """Return the newest cruds of several pages, which are the page of all of them."""
    cruds = [crud for page in pages for crud in page]
    cruds.sort(key=lambda crud: (crud["created_at"], crud["uuid"]), reverse=True)
    return cruds[:PAGE_DEFAULT]


@contextmanager
def running(directory: Path, key: str) -> Iterator[list[Shard]]:
    """Run as many shards as are measured at most."""
    with ExitStack() as stack:
        shards = []
        for number in range(max(SHARDS)):
            database = EmbeddedPostgres(directory / f"shard-{number}", durable=False)
            stack.callback(database.stop)
            database.start()
            dsn = database.dsn("postgres")
            asyncio.run(fill(dsn, CRUDS))
            environment = {"CONNECTION_URL": dsn, "CRUDDUR_SIGNING_KEY": key}
            server = stack.enter_context(serving(OURS, 1, environment))
            pid_file = directory / f"shard-{number}" / "data" / "postmaster.pid"
            shards.append(Shard(server, int(pid_file.read_text().split()[0])))
        yield shards


async def measure_costs(shard: Shard, key: str, seconds: float) -> dict[str, Cost]:
    """Measure the CPU time of each kind of request on one limited shard."""
    gateway = Gateway([shard], key)
    costs = {}
    for kind in MIXES["mix"]:
        await gateway.load({kind: 1.0}, seconds / 3)
        before = (*shard.cpu(), time.process_time())
        load = await gateway.load({kind: 1.0}, seconds)
        after = (*shard.cpu(), time.process_time())
        costs[kind] = Cost(
            *((end - begin) / load.requests for begin, end in zip(before, after, strict=True))
        )
    return costs


def predict(costs: Mapping[str, Cost], mix: Mapping[str, float], shards: int) -> Outcome:
    """Simulate a load on limited shards."""
    kinds = {
        kind: Kind(share, costs[kind].total, visits_all=kind in FANS_IN)
        for kind, share in mix.items()
    }
    delay = sum(
        share * costs[kind].client * (shards if kind in FANS_IN else 1)
        for kind, share in mix.items()
    )
    return Simulation(System(shards, quota=QUOTA, delay=delay), kinds).closed(CLIENTS * shards, 120)


@dataclass(frozen=True)
class Point:
    """One load of one round, and what the simulator predicts from the costs of that round."""

    predicted: Outcome
    measured: Measured

    corrected: Outcome

    @property
    def error(self) -> float:
        """How far the predicted rate is off."""
        return self.predicted.rate / self.measured.rate - 1

    @property
    def corrected_error(self) -> float:
        """How far it is off with the CPU time that the requests took in the load itself."""
        return self.corrected.rate / self.measured.rate - 1


async def measure_all(
    shards: Sequence[Shard], groups: Sequence[Group], key: str, size: Size
) -> tuple[list[dict[str, Cost]], dict[tuple[str, int], list[Point]]]:
    """Measure the costs, and load 1, 2 and 4 shards with each mix, in each round."""
    found: dict[tuple[str, int], list[Point]] = {}
    all_costs = []
    for limited in groups:
        limited.limit(QUOTA)
    for _ in range(size.rounds):
        costs = await measure_costs(shards[0], key, size.seconds)
        all_costs.append(costs)
        for name, mix in MIXES.items():
            for number in SHARDS:
                load = await measure_load(shards[:number], key, mix, size.seconds)
                slower = slowdown(costs, mix, load, number)
                dearer = {
                    kind: replace(
                        cost, worker=slower * cost.worker, database=slower * cost.database
                    )
                    for kind, cost in costs.items()
                }
                point = Point(
                    measured=load,
                    predicted=predict(costs, mix, number),
                    corrected=predict(dearer, mix, number),
                )
                found.setdefault((name, number), []).append(point)
    for limited in groups:
        limited.limit(None)
    return all_costs, found


async def measure_load(
    shards: Sequence[Shard], key: str, mix: Mapping[str, float], seconds: float
) -> Measured:
    """Load limited shards.

    Raises:
        RuntimeError: a shard has used more than its quota.
    """
    gateway = Gateway(shards, key)
    await gateway.load(mix, seconds / 4)
    before = [sum(shard.cpu()) for shard in shards]
    load = await gateway.load(mix, seconds)
    used = [sum(shard.cpu()) - begin for shard, begin in zip(shards, before, strict=True)]
    # At both ends, a part of a period can have the quota of a whole one.
    if max(used) > 1.05 * QUOTA * (load.seconds + 2 * PERIOD):
        raise RuntimeError(f"a shard used {max(used) / load.seconds:.2f} cores: no quota")
    return replace(load, used=sum(used) / len(used) / QUOTA / load.seconds)


def slowdown(
    costs: Mapping[str, Cost], mix: Mapping[str, float], load: Measured, shards: int
) -> float:
    """Return the CPU time of the requests of a load, against that of the costs of its round."""
    expected = sum(
        share * costs[kind].total * (shards if kind in FANS_IN else 1)
        for kind, share in mix.items()
    )
    return load.used * QUOTA * shards * load.seconds / load.requests / expected


def show_costs(costs: Sequence[Mapping[str, Cost]]) -> None:
    """Print the medians of all rounds."""
    print(
        f"one limited shard, CPU ms for each request {'worker':>12}{'database':>10}{'client':>10}"
    )
    for kind in costs[0]:
        worker, database, client = (
            1000 * median(getattr(one[kind], part) for one in costs)
            for part in ("worker", "database", "client")
        )
        print(f"  {kind:41}{worker:12.2f}{database:10.2f}{client:10.2f}")


def compare(found: Mapping[tuple[str, int], Sequence[Point]]) -> bool:
    """Print predictions next to measurements; return whether all rates are within the goal."""
    print(
        f"\n  {'answers a second':16}{'shards':>7}{'predicted':>11}{'measured':>26}"
        f"{'error: median (all)':>32}{'p50, ms':>14}{'used':>8}{'corrected':>12}"
    )
    errors, corrected_errors = [], []
    for (name, number), points in found.items():
        rates = [point.measured.rate for point in points]
        each = [point.error for point in points]
        errors.append(abs(median(each)))
        corrected = median(point.corrected_error for point in points)
        corrected_errors.append(abs(corrected))
        predicted = median(point.predicted.rate for point in points)
        measured = f"{median(rates):.1f} ({min(rates):.1f} to {max(rates):.1f})"
        error = f"{median(each):.1%} ({min(each):.1%} to {max(each):.1%})"
        used = median(point.measured.used for point in points)
        latency = " / ".join(
            f"{1000 * median(getattr(point, side).p50 for point in points):.0f}"
            for side in ("predicted", "measured")
        )
        print(
            f"  {name:16}{number:7}{predicted:11.1f}{measured:>26}{error:>32}{latency:>14}"
            f"{used:8.0%}{corrected:12.1%}"
        )
    verdict = "met" if max(errors) <= GOAL else "NOT MET"
    print(
        f"\nlargest error {max(errors):.1%}, median {median(errors):.1%};"
        f" at most {GOAL:.0%}   {verdict}"
    )
    print(
        f"corrected for the CPU time of the requests in the load itself: largest"
        f" {max(corrected_errors):.1%}, median {median(corrected_errors):.1%}"
    )
    return max(errors) <= GOAL


def main(size: Size) -> int:
    """Measure and print; return the exit code."""
    key = new_signing_key()
    with ExitStack() as stack:
        try:
            groups = [stack.enter_context(group(f"shard-{n}")) for n in range(max(SHARDS))]
            own = stack.enter_context(group("client"))
        except OSError as error:
            print(f"skipped: no control groups ({error})")
            return 0
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shards = stack.enter_context(running(directory, key))
        own.take(os.getpid())
        for limited, shard in zip(groups, shards, strict=True):
            limited.take(shard.server.process.pid)
            limited.take(shard.database)
        costs, found = asyncio.run(measure_all(shards, groups, key, size))
    show_costs(costs)
    return 0 if compare(found) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--plan", action="store_true")
    options = parser.parse_args()
    if options.plan:
        capacity.show_plan()
        sys.exit(0)
    begun = time.monotonic()
    code = main(Size(1, 1.0) if options.short else Size())
    print(f"\n{time.monotonic() - begun:.0f} s")
    sys.exit(code)
