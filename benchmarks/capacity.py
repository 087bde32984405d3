"""The arithmetic of docs/scaling.md: what a number of accounts asks of each part.

The figures are in `capacity.json`, each with the command or the document that it comes from. The
assumptions about people are the attributes of `Workload`: change them, and run it again.

    python -m benchmarks.scale --plan
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("capacity.json")
ACCOUNTS = tuple(10**n for n in range(4, 9))

DAY = 86_400.0
EVENT_SECONDS = 1_200.0
"""Events are kept for 15 to 20 minutes."""

TARGET = 0.6
"""The share of its CPU that a part may use at the peak. Beyond it, queues grow quickly."""


@dataclass(frozen=True)
class Workload:
    """What people do.

    Attributes:
        accounts: all of them. active: the share of accounts that come on one day. pages: pages
        that one of them reads a day; half are home, half are a profile, a crud and such. cruds:
        cruds and replies that one of them writes a day. reactions: likes, reposts, follows and
        messages of one of them a day. minutes: how long one of them has a stream open. lifetime:
        days until a crud expires, on average. followers: followers of the author of a crud, on
        average. peak: the busiest hour against the mean of the day."""

    accounts: int
    active: float = 0.2
    pages: float = 40.0
    cruds: float = 1.0
    reactions: float = 6.0
    minutes: float = 30.0
    lifetime: float = 7.1
    followers: float = 100.0
    peak: float = 3.0

    def per_second(self, per_day: float) -> float:
        """Return the rate in the busiest hour of what each active account does so often a day."""
        return self.accounts * self.active * per_day * self.peak / DAY

    @property
    def live_cruds(self) -> float:
        """The cruds that are not expired: the rate of writing times the lifetime (Little's law)."""
        return self.accounts * self.active * self.cruds * self.lifetime

    @property
    def streams(self) -> float:
        """The open streams in the busiest hour."""
        return self.accounts * self.active * self.peak * self.minutes * 60 / DAY

    @property
    def deliveries(self) -> float:
        """The deliveries a second of cruds to the streams of the followers of their authors."""
        online = min(1.0, self.streams / self.accounts)
        return self.per_second(self.cruds) * self.followers * online

    @property
    def public_deliveries(self) -> float:
        """The deliveries a second if every stream gets every crud, as those of home do."""
        return self.per_second(self.cruds) * self.streams


@dataclass(frozen=True)
class Need:
    """What a workload needs in its busiest hour.

    Attributes:
        reads, writes: requests per second.
        worker_cores, database_cores: cores at 60 % of use.
        write_cores: the part of the database's cores that writes use, which replicas cannot take.
        live_cruds: cruds that are not expired.
        crud_bytes: their size with indexes, reactions and notifications, without pictures.
        account_bytes: the size of accounts and follows, which do not expire.
        log_bytes: the size of the event log.
        commit_share: the writes against what one server can commit.
        expired: cruds that expire per second on average, which is as many as are written.
        streams, stream_workers: the open streams, and workers for them.
        deliveries, public_deliveries: as in Workload.
        log_reads: rows of the event log that all workers together read per second.
    """

    reads: float
    writes: float
    worker_cores: float
    database_cores: float
    write_cores: float
    live_cruds: float
    crud_bytes: float
    account_bytes: float
    log_bytes: float
    commit_share: float
    expired: float
    streams: float
    stream_workers: int
    deliveries: float
    public_deliveries: float
    log_reads: float


def read_figures(path: Path = FIGURES) -> Mapping[str, Any]:
    """Return the measured figures.

    Raises:
        ValueError: one is missing or not positive; the message names it.
    """
    figures: Mapping[str, Any] = json.loads(path.read_text())
    for kind in ("home", "page", "write"):
        for part in ("worker", "database"):
            _positive(figures, "cpu_ms", kind, part)
    for kind in ("crud", "account", "follow", "event"):
        _positive(figures, "bytes", kind)
    for kind in ("per_worker", "bytes", "deliveries_per_second"):
        _positive(figures, "streams", kind)
    _positive(figures, "commits_per_second", "value")
    return figures


def _positive(figures: Mapping[str, Any], *path: str) -> None:
    found: Any = figures
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, int | float) or found <= 0:
        raise ValueError(f"{' / '.join(path)} is not a positive number: {found!r}")


def need(load: Workload, figures: Mapping[str, Any]) -> Need:
    """Return what a workload needs."""
    pages = load.per_second(load.pages)
    writes = load.per_second(load.cruds + load.reactions)
    rates = {"home": pages / 2, "page": pages / 2, "write": writes}

    def cores(part: str, *kinds: str) -> float:
        used = sum(rates[kind] * figures["cpu_ms"][kind][part] / 1000 for kind in kinds)
        return used / TARGET

    # Each write records an event; those of streams are read by every worker that has streams.
    workers = math.ceil(
        max(
            load.streams / figures["streams"]["per_worker"],
            load.deliveries / figures["streams"]["deliveries_per_second"],
        )
    )
    size = figures["bytes"]
    return Need(
        reads=pages,
        writes=writes,
        worker_cores=cores("worker", *rates),
        database_cores=cores("database", *rates),
        write_cores=cores("database", "write"),
        live_cruds=load.live_cruds,
        crud_bytes=load.live_cruds * size["crud"],
        account_bytes=load.accounts * (size["account"] + load.followers * size["follow"]),
        log_bytes=writes * EVENT_SECONDS * size["event"],
        commit_share=writes / figures["commits_per_second"]["value"],
        expired=load.per_second(load.cruds) / load.peak,
        streams=load.streams,
        stream_workers=workers,
        deliveries=load.deliveries,
        public_deliveries=load.public_deliveries,
        log_reads=writes * workers,
    )


def show_plan() -> None:
    """Print what each number of accounts needs."""
    figures = read_figures()
    needs = [need(Workload(accounts), figures) for accounts in ACCOUNTS]
    print(f"{'accounts':34}" + "".join(f"{accounts:>14,}" for accounts in ACCOUNTS))
    rows = {
        "reads/s, busiest hour": [one.reads for one in needs],
        "writes/s, busiest hour": [one.writes for one in needs],
        "cores of workers": [one.worker_cores for one in needs],
        "cores of databases": [one.database_cores for one in needs],
        "of these for writes": [one.write_cores for one in needs],
        "live cruds": [one.live_cruds for one in needs],
        "cruds, GB": [one.crud_bytes / 1e9 for one in needs],
        "accounts and follows, GB": [one.account_bytes / 1e9 for one in needs],
        "event log, GB": [one.log_bytes / 1e9 for one in needs],
        "writes / commits of one server": [one.commit_share for one in needs],
        "cruds that expire/s": [one.expired for one in needs],
        "open streams": [one.streams for one in needs],
        "workers for them": [one.stream_workers for one in needs],
        "deliveries/s, followed authors": [one.deliveries for one in needs],
        "deliveries/s, all cruds to all": [one.public_deliveries for one in needs],
        "rows of the event log read/s": [one.log_reads for one in needs],
    }
    for name, values in rows.items():
        cells = "".join(f"{value:14,.{digits(value)}f}" for value in values)
        print(f"{name:34}{cells}")


def digits(value: float) -> int:
    """Return how many digits after the point show a value well."""
    return 0 if value >= 100 else 1 if value >= 1 else 2
