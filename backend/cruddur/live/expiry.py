"""Schedule expiries in their order, by the clock of the database."""

import heapq
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from cruddur.db.live import Expiring

NEVER = datetime.min.replace(tzinfo=UTC)

_PROMPT_SECONDS = 0.2


class DatabaseClock:
    """The time of the database between two readings. It decides what is visible.

    It never runs ahead of the database, so that no crud is reported expired while it is visible.
    """

    def __init__(self) -> None:
        """Start unset."""
        self._offset: float | None = None

    def set(self, now: datetime, seconds: float) -> None:
        """Set the clock to a reading, which took so many seconds.

        A slow reading may be as old as it took, so it sets only a clock that is unset. Otherwise
        every expiry would be published late by that time.
        """
        if self._offset is None or seconds < _PROMPT_SECONDS:
            self._offset = now.timestamp() - monotonic()

    def now(self) -> datetime:
        """Return the time of the database, or a little less; NEVER while the clock is unset."""
        if self._offset is None:
            return NEVER
        return datetime.fromtimestamp(monotonic() + self._offset, UTC)


class ExpirySchedule:
    """The next expiries up to a horizon. The caller loads later ones in time.

    Attributes:
        horizon: all expiries before this time are known.
        published_until: all expiries before this time were returned as due.
    """

    def __init__(self, since: datetime) -> None:
        """Start empty; expiries before `since` are ignored."""
        self.horizon = self.published_until = since
        self._known: dict[UUID, Expiring] = {}
        self._heap: list[tuple[datetime, UUID]] = []

    def load(self, found: Iterable[Expiring], horizon: datetime) -> None:
        """Replace the schedule by all expiries after `published_until` and up to a new horizon."""
        self.horizon = horizon
        # An expiry that was moved into the past is not in that range.
        known = [item for item in self._known.values() if item.expires_at <= self.published_until]
        known += [item for item in found if item.expires_at > self.published_until]
        self._known = {item.uuid: item for item in known}
        self._heap = [(item.expires_at, item.uuid) for item in self._known.values()]
        heapq.heapify(self._heap)

    def add(self, item: Expiring) -> None:
        """Schedule a new crud, or one whose expiry has changed."""
        if item.expires_at > self.horizon:
            self._known.pop(item.uuid, None)
        elif self._known.get(item.uuid) != item:
            self._known[item.uuid] = item
            heapq.heappush(self._heap, (item.expires_at, item.uuid))

    def discard(self, uuid: UUID) -> None:
        """Remove a crud that was deleted."""
        self._known.pop(uuid, None)

    def next_expiry(self) -> datetime | None:
        """Return the time of the next expiry."""
        while self._heap:
            expires_at, uuid = self._heap[0]
            item = self._known.get(uuid)
            if item is not None and item.expires_at == expires_at:
                return expires_at
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: datetime) -> list[Expiring]:
        """Remove and return everything that has expired, in order."""
        due = []
        while (expires_at := self.next_expiry()) is not None and expires_at <= now:
            due.append(self._known.pop(heapq.heappop(self._heap)[1]))
        if due:
            self.published_until = max(self.published_until, due[-1].expires_at)
        return due
