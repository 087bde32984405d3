"""Rankings of live cruds that all callers of a process share, and from which cruds expire on time.

A ranking is read once in an interval at most, however many ask. What the next HORIZON takes away
from each score by expiry is read with it, so that an expired crud counts for nothing from its
instant on, by the clock of the database. What is posted, liked or deleted shows with the next
reading.
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
"""How long the expiries of a reading are known, counted from its start: longer than the reading
itself may take."""


@dataclass(frozen=True, slots=True)
class Ranked(Generic[T]):
    """An item and its score at this instant."""

    item: T
    score: int


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    candidates: Sequence[Candidate[T]]
    began: float

    @property
    def age(self) -> float:
        return monotonic() - self.began

    def standing(self) -> list[Ranked[T]]:
        """Return what has a score now, the highest first; equals stay in their order."""
        found = []
        for one in self.candidates:
            now = one.read_at + timedelta(seconds=self.age)
            score = one.score - sum(fall for ends, fall in one.falls if ends <= now)
            if score > 0:
                found.append(Ranked(one.item, score))
        return sorted(found, key=lambda ranked: -ranked.score)


class Ranking(Generic[T]):
    """One ranking of this process; callers at the same time share one reading."""

    def __init__(
        self,
        database: Database,
        select: Callable[[Connection, timedelta], Awaitable[Sequence[Candidate[T]]]],
        interval: float,
    ) -> None:
        """Read from a database.

        Args:
            database: where to read.
            select: returns everything that can be in the ranking within a time from now, equals
                in their order.
            interval: seconds for which a reading is used.
        """
        self._interval = min(interval, HORIZON.total_seconds())
        self._database = database
        self._select = select
        self._latest: _Reading[T] | None = None
        self._reading: asyncio.Task[_Reading[T]] | None = None

    async def current(self) -> list[Ranked[T]]:
        """Return the ranking at this instant.

        Raises:
            DatabaseUnavailableError: as `Database.connection` says.
        """
        latest = self._latest
        while latest is None or latest.age >= self._interval:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
                self._reading.add_done_callback(self._finish)
            # A caller that leaves must not stop the reading of the others.
            latest = await asyncio.shield(self._reading)
            if latest.age < HORIZON.total_seconds():
                break
        return latest.standing()

    async def _read(self) -> _Reading[T]:
        async with self._database.connection() as conn:
            began = monotonic()
            return _Reading(await self._select(conn, HORIZON), began)

    def _finish(self, reading: "asyncio.Task[_Reading[T]]") -> None:
        self._reading = None
        if not reading.cancelled() and reading.exception() is None:
            self._latest = reading.result()
