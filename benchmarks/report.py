"""Measurements and goals: tables to read, and JSON to keep."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.routes import MANY, ROUTES
from benchmarks.servers import FASTAPI, FLOOR, OURS

MEMORY_BYTES = 85_000_000
"""The goal for one idle worker."""
_STEADY = " at 70 % of its own capacity"


@dataclass(frozen=True)
class Measurement:
    """One peer in one round.

    Attributes:
        route: the route; `steady(route)` is a constant rate, all others are closed loops.
        workers: the number of workers.
        peer: the name of the peer.
        rate: requests per second.
        cpu: CPU seconds of the server per request.
        p50, p99: percentiles of the latency in seconds.
    """

    route: str
    workers: int
    peer: str
    rate: float
    cpu: float
    p50: float
    p99: float


Value = Callable[[Measurement], float]


def steady(route: str) -> str:
    """Return the name of a route that is measured at a constant rate."""
    return route + _STEADY


def _rate(measurement: Measurement) -> float:
    return measurement.rate


def _p99(measurement: Measurement) -> float:
    return measurement.p99


@dataclass(frozen=True)
class Goal:
    """A bound for the ratio of our value to a peer's, with one worker: a minimum or a maximum."""

    route: str
    peer: str
    bound: float
    value: Value = _rate
    is_most: bool = False

    def is_met(self, ratio: float) -> bool:
        """Whether a ratio meets the goal."""
        return ratio <= self.bound if self.is_most else ratio >= self.bound

    def __str__(self) -> str:
        what = {_rate: "requests/s", _p99: "p99"}[self.value]
        relation = "at most" if self.is_most else "at least"
        return f"{self.route}: {what} {relation} {self.bound:g} x {self.peer}"


GOALS = (
    Goal("member-home", FASTAPI, 2.0),
    Goal("mix", FASTAPI, 2.0),
    Goal(steady("mix"), FASTAPI, 0.5, _p99, is_most=True),
    Goal("home", FASTAPI, 4.0),
    Goal("home", "flask", 4.0),
    Goal("home", FLOOR, 0.6),
    # Rates are the inverse of the time per request.
    Goal("home", MANY, 1.1, is_most=True),
    Goal(steady("home"), "flask", 0.5, _p99, is_most=True),
    Goal(steady("home"), FASTAPI, 1.0, _p99, is_most=True),
    Goal("home-100-posts", FASTAPI, 4.0),
    Goal("profile", "flask", 3.0),
    Goal("profile", FASTAPI, 1.0),
    Goal("crud", "flask", 3.0),
    Goal("crud", FASTAPI, 1.0),
    Goal("health", FASTAPI, 0.8),
    Goal("create", "flask", 2.5),
    Goal("create", FASTAPI, 2.5),
)


@dataclass(frozen=True)
class Spread:
    """The median, minimum and maximum of the rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median(values), min(values), max(values))

    def formatted(self, form: str, unit: float = 1.0) -> str:
        """Return text such as `812 (790 to 830)`."""
        middle, least, most = (
            format(value * unit, form) for value in (self.median, self.least, self.most)
        )
        return f"{middle} ({least} to {most})"


def ratio(
    found: Sequence[Measurement], route: str, workers: int, peer: str, value: Value = _rate
) -> Spread | None:
    """Return our value over a peer's per round: a slow round slows both."""
    ours, theirs = (
        [value(one) for one in _of(found, route, workers) if one.peer == who]
        for who in (OURS, peer)
    )
    if not ours or not theirs:
        return None
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])


def tables(found: Sequence[Measurement]) -> Iterator[str]:
    """Yield a table for each number of workers and route; the fastest peer comes first.

    The order of the routes is that of `ROUTES`, whatever was measured first.
    """
    routes = [name for route in ROUTES for name in (route.name, steady(route.name))]
    for workers in dict.fromkeys(one.workers for one in found):
        measured = {one.route for one in found if one.workers == workers}
        for route in routes:
            if route in measured:
                yield "\n".join(_table(found, route, workers))


def _table(found: Sequence[Measurement], route: str, workers: int) -> Iterator[str]:
    yield (
        f"{f'{route}, {workers} worker' + 's' * (workers > 1):40}{'requests/s':>22}"
        f"{'CPU ms/request':>22}{'p50 ms':>9}{'p99 ms':>26}   cruddur has"
    )
    rounds: dict[str, list[Measurement]] = {}
    for one in _of(found, route, workers):
        rounds.setdefault(one.peer, []).append(one)
    is_steady = route.endswith(_STEADY)
    measures: Value = _p99 if is_steady else _rate
    order = sorted(
        rounds,
        key=lambda peer: median(map(measures, rounds[peer])) * (1 if is_steady else -1),
    )
    for peer in order:
        of_peer = rounds[peer]
        rate = Spread.of([one.rate for one in of_peer]).formatted(".0f")
        cpu = Spread.of([one.cpu for one in of_peer]).formatted(".2f", 1000)
        p50 = median(one.p50 for one in of_peer) * 1000
        p99 = Spread.of([one.p99 for one in of_peer]).formatted(".1f", 1000)
        against = ratio(found, route, workers, peer, measures)
        comparison = f"{against.formatted('.2f')} x" if against and peer != OURS else ""
        yield f"  {peer:38}{rate:>22}{cpu:>22}{p50:9.1f}{p99:>26}   {comparison}".rstrip()


def verdicts(found: Sequence[Measurement], memory: Mapping[str, int]) -> Iterator[str]:
    """Yield the result of each goal that the measurements cover."""
    for goal in GOALS:
        reached = ratio(found, goal.route, 1, goal.peer, goal.value)
        if reached is not None:
            yield _verdict(str(goal), reached.formatted(".2f"), goal.is_met(reached.median))
    if OURS in memory:
        yield _verdict(
            f"memory of one idle worker: at most {MEMORY_BYTES / 1e6:g} MB",
            f"{memory[OURS] / 1e6:.1f}",
            memory[OURS] <= MEMORY_BYTES,
        )


def _verdict(goal: str, reached: str, is_met: bool) -> str:
    return f"  {goal:66}{reached:>24}   {'met' if is_met else 'NOT MET'}"


def _of(found: Sequence[Measurement], route: str, workers: int) -> list[Measurement]:
    return [one for one in found if (one.route, one.workers) == (route, workers)]
