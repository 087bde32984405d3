"""Schedule expiries by the clock of the database."""

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from cruddur.db.live import Expiring

NEVER = datetime.min.replace(tzinfo=UTC)

_PROMPT_SECONDS = 0.2


class DatabaseClock:
    """The time of the database, which decides what is visible, estimated between two readings.

    It never runs ahead of the database, so that no crud is reported expired while it is visible.
    """

    def __init__(self) -> None:
        """Start unset."""
        self._offset: float | None = None

    def set(self, now: datetime, seconds: float) -> None:
        """Set the clock to a reading that took a number of seconds.

        A slow reading may be outdated by its own duration, and every expiry would be published
        late by that time. So it only sets a clock that is unset.
        """
        if self._offset is None or seconds < _PROMPT_SECONDS:
            self._offset = now.timestamp() - monotonic()

    def now(self) -> datetime:
        """Return the time of the database, or slightly less; NEVER while the clock is unset."""
        if self._offset is None:
            return NEVER
        return datetime.fromtimestamp(monotonic() + self._offset, UTC)


class ExpirySchedule:
    """The next expiries, up to a horizon. The caller loads later ones before they are due.

    Attributes:
        horizon: all expiries before this time are loaded.
        published_until: all expiries before this time have been returned by `pop_due`.
    """

    def __init__(self, since: datetime) -> None:
        """Start empty; expiries before `since` are ignored."""
        self.horizon = self.published_until = since
        self._scheduled: dict[UUID, Expiring] = {}
        self._heap: list[tuple[datetime, UUID]] = []

    def load(self, expiries: Iterable[Expiring], horizon: datetime) -> None:
        """Replace the schedule by all expiries after `published_until` and up to a new horizon."""
        self.horizon = horizon
        # Keep expiries that were moved into the past: they are outside of that range.
        scheduled = [
            item for item in self._scheduled.values() if item.expires_at <= self.published_until
        ]
        scheduled += [item for item in expiries if item.expires_at > self.published_until]
        self._scheduled = {item.uuid: item for item in scheduled}
        self._heap = [(item.expires_at, item.uuid) for item in self._scheduled.values()]
        heapq.heapify(self._heap)

    def add(self, item: Expiring) -> None:
        """Schedule a new crud or message, or a crud whose expiry has changed."""
        if item.expires_at > self.horizon:
            self._scheduled.pop(item.uuid, None)
        elif self._scheduled.get(item.uuid) != item:
            self._scheduled[item.uuid] = item
            heapq.heappush(self._heap, (item.expires_at, item.uuid))

    def discard(self, uuid: UUID) -> None:
        """Remove a crud that was deleted."""
        self._scheduled.pop(uuid, None)

    def next_expiry(self) -> datetime | None:
        """Return the time of the next expiry."""
        while self._heap:
            expires_at, uuid = self._heap[0]
            item = self._scheduled.get(uuid)
            if item is not None and item.expires_at == expires_at:
                return expires_at
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: datetime) -> list[Expiring]:
        """Remove and return all expiries up to a time, in order."""
        due = []
        while (expires_at := self.next_expiry()) is not None and expires_at <= now:
            due.append(self._scheduled.pop(heapq.heappop(self._heap)[1]))
        if due:
            self.published_until = max(self.published_until, due[-1].expires_at)
        return due
