"""What ends soon, in the order of its end, by the clock of the database."""

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from cruddur.db.live import Expiring

NEVER = datetime.min.replace(tzinfo=UTC)


_PROMPT_SECONDS = 0.2


class Clock:
    """The database's time, told without asking: it decides what is visible, not ours.

    It never runs ahead, so that nothing is said to be gone which can still be read.
    """

    def __init__(self) -> None:
        """A clock that was not set yet: as if nothing had happened."""
        self._offset: float | None = None

    def set(self, now: datetime, seconds: float) -> None:
        """The database said so, and its answer took so long, by which it may be older. One that
        took long corrects nothing: every end would be told as late."""
        if self._offset is None or seconds < _PROMPT_SECONDS:
            self._offset = now.timestamp() - monotonic()

    def now(self) -> datetime:
        """The time, or a little before."""
        if self._offset is None:
            return NEVER
        return datetime.fromtimestamp(monotonic() + self._offset, UTC)


class Expiries:
    """The soonest ends, up to a horizon; what lies beyond is read in time.

    Attributes:
        horizon: up to where they are known.
        told_until: up to where they were handed out.
    """

    def __init__(self, since: datetime) -> None:
        """Nothing is known yet; what ended before a time concerns nobody."""
        self.horizon = self.told_until = since
        self._known: dict[UUID, Expiring] = {}
        self._heap: list[tuple[datetime, UUID]] = []

    def load(self, found: Iterable[Expiring], horizon: datetime) -> None:
        """Take all that ends after `told_until` and up to a new horizon."""
        self.horizon = horizon
        # What was brought forward into the past is in no such stretch of time.
        known = [item for item in self._known.values() if item.expires_at <= self.told_until]
        known += [item for item in found if item.expires_at > self.told_until]
        self._known = {item.uuid: item for item in known}
        self._heap = [(item.expires_at, item.uuid) for item in self._known.values()]
        heapq.heapify(self._heap)

    def add(self, item: Expiring) -> None:
        """Something is new, or ends at another time."""
        if item.expires_at > self.horizon:
            self._known.pop(item.uuid, None)
        elif self._known.get(item.uuid) != item:
            self._known[item.uuid] = item
            heapq.heappush(self._heap, (item.expires_at, item.uuid))

    def discard(self, uuid: UUID) -> None:
        """It is gone already."""
        self._known.pop(uuid, None)

    def soonest(self) -> datetime | None:
        """When something ends next."""
        while self._heap:
            expires_at, uuid = self._heap[0]
            item = self._known.get(uuid)
            if item is not None and item.expires_at == expires_at:
                return expires_at
            heapq.heappop(self._heap)
        return None

    def take(self, now: datetime) -> list[Expiring]:
        """Everything that has ended, each once."""
        due = []
        while (soonest := self.soonest()) is not None and soonest <= now:
            due.append(self._known.pop(heapq.heappop(self._heap)[1]))
        if due:
            self.told_until = max(self.told_until, due[-1].expires_at)
        return due
