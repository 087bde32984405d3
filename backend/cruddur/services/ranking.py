"""Rankings of live cruds, cached per process; expired cruds leave them on time.

A process reads a ranking at most once per interval, for all callers. The reading includes how much
each score decreases by expiries within HORIZON, so a crud stops counting when it expires, by the
clock of the database. Posts, likes and deletions show with the next reading.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Generic, TypeVar

from cruddur.db.pool import Database
from cruddur.db.ranking import Candidate
from cruddur.db.statements import Connection

T = TypeVar("T")

HORIZON = timedelta(seconds=30)
"""Period from the start of a reading for which it includes expiries. It is longer than a reading
may take."""


@dataclass(frozen=True, slots=True)
class Ranked(Generic[T]):
    """An item and its current score."""

    item: T
    score: int


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    candidates: Sequence[Candidate[T]]
    started: float

    @property
    def age(self) -> float:
        return monotonic() - self.started

    def live_items(self) -> list[Ranked[T]]:
        """Return the items with a positive score, the highest first; ties keep their order."""
        ranked_items = []
        for candidate in self.candidates:
            now = candidate.read_at + timedelta(seconds=self.age)
            score = candidate.score - sum(
                amount for ends, amount in candidate.decreases if ends <= now
            )
            if score > 0:
                ranked_items.append(Ranked(candidate.item, score))
        return sorted(ranked_items, key=lambda ranked: -ranked.score)


class Ranking(Generic[T]):
    """One ranking of this process; concurrent callers share one reading."""

    def __init__(
        self,
        database: Database,
        select: Callable[[Connection, timedelta], Awaitable[Sequence[Candidate[T]]]],
        interval: float,
    ) -> None:
        """Set up a ranking.

        Args:
            database: the database to read.
            select: returns the items that can be in the ranking within a period from now; equal
                ones are in their order.
            interval: seconds for which a reading is used.
        """
        self._interval = min(interval, HORIZON.total_seconds())
        self._database = database
        self._select = select
        self._latest: _Reading[T] | None = None
        self._reading: asyncio.Task[_Reading[T]] | None = None

    async def current(self) -> list[Ranked[T]]:
        """Return the current ranking.

        Raises:
            DatabaseUnavailableError: see `Database.connection`.
        """
        latest = self._latest
        while latest is None or latest.age >= self._interval:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
                self._reading.add_done_callback(self._finish)
            # If a caller is cancelled, the reading continues for the others.
            latest = await asyncio.shield(self._reading)
            if latest.age < HORIZON.total_seconds():
                break
        return latest.live_items()

    async def _read(self) -> _Reading[T]:
        async with self._database.connection() as conn:
            started = monotonic()
            return _Reading(await self._select(conn, HORIZON), started)

    def _finish(self, reading: "asyncio.Task[_Reading[T]]") -> None:
        self._reading = None
        if not reading.cancelled() and reading.exception() is None:
            self._latest = reading.result()
