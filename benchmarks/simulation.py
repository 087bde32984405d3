"""A discrete-event simulation of shards that answer requests.

A shard is a queue with one or more processors. A request of a class visits one shard, or all of
them at once (a fan-in such as home, which is complete when the last shard has answered). The time
that a visit occupies a processor is drawn around its measured CPU time. A quota lets a shard use
its processors for a part of each period only, as the scheduler of Linux does for a control group.

The same seed gives the same result.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

PERIOD = 0.1
"""The period of a CPU quota in seconds: the default of Linux."""


@dataclass(frozen=True)
class Kind:
    """A class of requests.

    Attributes:
        weight: its share among the requests.
        demand: CPU seconds of one visit.
        visits_all: whether a request visits all shards, or one that is drawn.
    """

    weight: float
    demand: float
    visits_all: bool = False


@dataclass(frozen=True)
class System:
    """What is simulated.

    Attributes:
        shards: the number of shards.
        processors: processors of each shard.
        quota: cores that each shard may use on average; None: all of its processors.
        spread: the coefficient of variation of a visit's time: 1 is an exponential distribution.
        delay: seconds of each request outside the shards.
    """

    shards: int = 1
    processors: int = 1
    quota: float | None = None
    spread: float = 0.5
    delay: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a simulation found. Times are in seconds.

    Attributes:
        arrived, completed, pending: the requests that arrived, that were answered, and the rest.
        rate: answers per second after the warm-up.
        mean, p50, p99: the latency after the warm-up.
        waiting: the mean time for which a visit waits for a processor.
        busy: the CPU seconds of each shard per second.
    """

    arrived: int
    completed: int
    pending: int
    rate: float
    mean: float
    p50: float
    p99: float
    waiting: float
    busy: Sequence[float]


@dataclass
class _Request:
    kind: Kind
    arrival: float
    left: int = 1


@dataclass
class _Shard:
    """One queue. `spent` is what has been used of the quota in the period that began at
    `period`."""

    idle: int
    period: float
    spent: float = 0.0
    busy: float = 0.0
    queue: deque[tuple[_Request, float, float]] = field(default_factory=deque)


class Simulation:
    """One run. Either a number of clients wait for their response, or requests arrive at a rate."""

    def __init__(self, system: System, kinds: Mapping[str, Kind], *, seed: int = 1) -> None:
        self._system = system
        self._kinds = list(kinds.values())
        self._weights = [kind.weight for kind in self._kinds]
        self._chance = random.Random(seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._now = 0.0
        self._shards = [
            _Shard(system.processors, -self._chance.random() * PERIOD) for _ in range(system.shards)
        ]
        self._arrived = 0
        self._latencies: list[tuple[float, float]] = []
        self._waits: list[float] = []
        self._is_closed = False
        self._rate = 0.0

    def closed(self, clients: int, seconds: float, warm_up: float = 2.0) -> Outcome:
        """Let clients send a request each, and the next one after the response."""
        self._is_closed = True
        for _ in range(clients):
            self._at(self._chance.random() * 1e-3, self._arrive)
        return self._run(seconds, warm_up)

    def open(self, rate: float, seconds: float, warm_up: float = 2.0) -> Outcome:
        """Let requests arrive at random times, with this many a second on average."""
        self._rate = rate
        self._at(self._chance.expovariate(rate), self._arrive)
        return self._run(seconds, warm_up)

    def _run(self, seconds: float, warm_up: float) -> Outcome:
        end = warm_up + seconds
        begun: list[float] | None = None
        while self._events and self._events[0][0] < end:
            self._now, _, action = heapq.heappop(self._events)
            if begun is None and self._now >= warm_up:
                begun = [shard.busy for shard in self._shards]
                self._waits.clear()
            action()
        begun = begun or [0.0] * len(self._shards)
        taken = sorted(latency for moment, latency in self._latencies if moment >= warm_up)
        return Outcome(
            arrived=self._arrived,
            completed=len(self._latencies),
            pending=self._arrived - len(self._latencies),
            rate=len(taken) / seconds,
            mean=fmean(taken) if taken else math.nan,
            p50=_percentile(taken, 0.5),
            p99=_percentile(taken, 0.99),
            waiting=fmean(self._waits) if self._waits else 0.0,
            busy=[
                (shard.busy - before) / seconds
                for shard, before in zip(self._shards, begun, strict=True)
            ],
        )

    def _at(self, moment: float, action: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, action))

    def _arrive(self) -> None:
        if not self._is_closed:
            self._at(self._now + self._chance.expovariate(self._rate), self._arrive)
        [kind] = self._chance.choices(self._kinds, self._weights)
        self._arrived += 1
        visited = self._shards if kind.visits_all else [self._chance.choice(self._shards)]
        request = _Request(kind, self._now, len(visited))
        for shard in visited:
            shard.queue.append((request, self._draw(kind.demand), self._now))
            self._serve(shard)

    def _draw(self, mean: float) -> float:
        """Return the time of a visit: exponential, or a gamma distribution with another spread."""
        spread = self._system.spread
        if not spread:
            return mean
        shape = 1 / spread**2
        return self._chance.gammavariate(shape, mean / shape)

    def _serve(self, shard: _Shard) -> None:
        while shard.idle and shard.queue:
            request, work, since = shard.queue.popleft()
            shard.idle -= 1
            self._waits.append(self._now - since)
            self._at(self._end(shard, work), partial(self._finish, shard, request, work))

    def _end(self, shard: _Shard, work: float) -> float:
        """Return when a visit ends that begins now, and charge it to the quota."""
        if self._system.quota is None:
            return self._now + work
        budget = self._system.quota * PERIOD
        moment = max(self._now, shard.period)
        periods = math.floor((moment - shard.period) / PERIOD)
        if periods:
            shard.period += periods * PERIOD
            shard.spent = 0.0
        while work > budget - shard.spent:
            work -= budget - shard.spent
            shard.period += PERIOD
            shard.spent = 0.0
            moment = shard.period
        shard.spent += work
        return moment + work

    def _finish(self, shard: _Shard, request: _Request, work: float) -> None:
        shard.idle += 1
        shard.busy += work
        request.left -= 1
        if not request.left:
            moment = self._now + self._system.delay
            self._latencies.append((moment, moment - request.arrival))
            if self._is_closed:
                self._at(moment, self._arrive)
        self._serve(shard)


def bound(system: System, kinds: Mapping[str, Kind]) -> float:
    """Return the highest rate that the CPU permits: the law of utilization, for equal shards."""
    total = sum(kind.weight for kind in kinds.values())
    demand = sum(
        kind.weight / total * kind.demand * (1 if kind.visits_all else 1 / system.shards)
        for kind in kinds.values()
    )
    cores = system.processors if system.quota is None else min(system.quota, system.processors)
    return cores / demand


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a request waits in an M/M/c queue (Erlang, 1917).

    Args:
        servers: the number of servers.
        load: arrivals per second times the mean time of service; less than `servers`.
    """
    waiting = load**servers / math.factorial(servers) * servers / (servers - load)
    return waiting / (sum(load**n / math.factorial(n) for n in range(servers)) + waiting)


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan
