"""What has changed on the pages that the response cache keeps.

Every change of a page is an event in the event log, recorded by trigger in the transaction that
makes it (migrations 0003 and 0011). A reading finds the events that are visible now and were not
visible to the reading before. So it misses no commit, whichever process made it
(docs/decisions/0015).
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Literal, TypeAlias
from uuid import UUID

from cruddur.db.pool import Database
from cruddur.db.positions import NOTHING, Position, Snapshot
from cruddur.db.shared_reading import SharedReading
from cruddur.db.statements import Row, load

_READ = load("page_changes.read")

Version: TypeAlias = int
"""The number of changes that were known to this process at a moment."""

Shows: TypeAlias = Literal["any", "top-level", "thread"]
"""What appears on a page by itself: any new crud or reply that matches, only cruds that are no
replies, or only the replies to a crud of the page."""

TIMEOUT_SECONDS = 1.0
"""How long to wait for a connection: a reading that takes longer would save no time."""

_OF_ALL = frozenset({"expiry", "page"})
"""The kinds of events that may change any page. The others change pages that show their crud."""

_OF_SHOWN = frozenset({"counts", "preview"})
"""The kinds of events that change only pages that show the crud, and none that may list it."""

_OF_USERS = "follow"
"""The kind of event that changes only pages about its two users."""

_MAX_CHANGES = 1000
"""Changes that are read at once, and cruds and users whose changes are remembered one by one. With
more, all pages count as changed."""


@dataclass(slots=True)
class _State:
    """What the latest reading returned."""

    snapshot: Snapshot = NOTHING
    started_at: datetime | None = None
    newest: int | None = None
    newest_at: datetime | None = None
    next_expiry: datetime | None = None
    primary: "PrimaryState | None" = None


@dataclass(frozen=True, slots=True)
class PrimaryState:
    """What a reading returned of the primary, which a replica has to match (`db/replicas.py`).

    Attributes:
        began: the start of the reading, in seconds of the monotonic clock.
        started_at: the start of the server, which identifies it.
        wal: the end of the log in bytes: all that the reading could see is before it.
        clock: the server's clock during the reading, in seconds since 1970.
    """

    began: float
    started_at: datetime
    wal: int
    clock: float


@dataclass(slots=True)
class PageChanges:
    """The changes since this process began to read them; concurrent requests share one reading.

    Attributes:
        version: the number of changes so far. A page that is computed now has this version.
    """

    _database: Database
    version: Version = 0
    _all_changed: Version = 0
    _any_listed: Version = 0
    _top_level_listed: Version = 0
    _shown: dict[UUID, Version] = field(default_factory=dict)
    _state: _State = field(default_factory=_State)
    _readings: SharedReading = field(init=False)

    def __post_init__(self) -> None:
        self._readings = SharedReading(self._read)

    @property
    def primary(self) -> PrimaryState | None:
        """The primary during the latest reading; None before the first, and of a standby.

        Every change that is part of `version` is before its end of the log.
        """
        return self._state.primary

    @property
    def position(self) -> str | None:
        """The position of the latest reading in the event log, or None if the log is empty."""
        state = self._state
        if state.newest is None or state.newest_at is None:
            return None
        seen = state.snapshot.until(state.newest)
        return str(Position(seen, seen, 0, state.newest_at))

    async def read(self, since: float) -> None:
        """Read the changes, which increase `version`, unless a reading has begun since a moment.

        Args:
            since: the start of the request, in seconds of the monotonic clock.

        Raises:
            DatabaseUnavailableError: see `Database.connection`.
        """
        await self._readings.since(since)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the fragment `page_changes`."""
        state = self._state
        return {
            "since": state.snapshot,
            "newest": state.newest,
            "newest_at": state.newest_at,
            "most_changes": _MAX_CHANGES + 1,
        }

    def apply(self, row: Row, began: float) -> None:
        """Add the changes of a row with the columns of `page_changes`.

        Args:
            row: the row.
            began: when its statement was sent, in seconds of the monotonic clock.
        """
        self._readings.note(began)
        state = self._state
        snapshot = Snapshot(*row["snapshot"])
        is_same_server = row["started_at"] == state.started_at
        is_late = is_same_server and snapshot.size < state.snapshot.size
        kinds = row["kinds"] or ()
        is_known = is_same_server and row["is_complete"] and len(kinds) <= _MAX_CHANGES
        # Another reading may have found the expiry after this one was sent.
        has_expired = state.next_expiry is not None and state.next_expiry <= row["read_at"]
        if not is_known or has_expired:
            self._change_all()
        elif kinds and not is_late:
            columns = (kinds, row["subjects"], row["users"], row["parents"], row["xids"])
            # Two readings may have begun at the same snapshot: the first has added what both saw.
            self._add(
                [
                    (kind, subject, user, parent)
                    for kind, subject, user, parent, xid in zip(*columns, strict=True)
                    if not state.snapshot.has(xid)
                ]
            )
        if not is_late:  # otherwise a later reading, which has these events, was faster
            self._state = _State(
                snapshot,
                row["started_at"],
                row["newest"],
                row["newest_at"],
                row["next_expiry"],
                _primary(row, began),
            )

    def is_current(self, version: Version) -> bool:
        """Whether some pages of a version may be valid."""
        return version >= self._all_changed

    def is_unchanged(self, version: Version, shows: Shows, uuids: Collection[UUID]) -> bool:
        """Whether a page of a version is still valid.

        Args:
            version: the version that it was valid for.
            shows: what appears on it.
            uuids: the cruds on it, and the user that it is about.
        """
        if version == self.version:
            return True
        listed = {"any": self._any_listed, "top-level": self._top_level_listed, "thread": 0}[shows]
        return version >= max(self._all_changed, listed) and all(
            self._shown.get(uuid, 0) <= version for uuid in uuids
        )

    def _add(self, events: Collection[tuple[str, UUID, UUID, UUID | None]]) -> None:
        """Add events: the kind, the crud or user, its user, and the crud that the crud replies to.

        A reply also has an event of the counts of its parent, so pages that show the parent change.
        """
        if not events:
            return
        if any(kind in _OF_ALL for kind, *_ in events) or len(self._shown) > _MAX_CHANGES:
            self._change_all()
            return
        self.version += 1
        for kind, subject, user, parent in events:
            self._shown[subject] = self.version
            if kind == _OF_USERS:
                self._shown[user] = self.version
            elif kind not in _OF_SHOWN:
                self._any_listed = self.version
                if parent is None:
                    self._top_level_listed = self.version

    def _change_all(self) -> None:
        self.version += 1
        self._all_changed = self.version
        self._shown.clear()

    async def _read(self) -> float:
        async with self._database.connection(TIMEOUT_SECONDS) as conn:
            began = monotonic()
            [row] = await _READ.rows(conn, **self.parameters())
        self.apply(row, began)
        return began


def _primary(row: Row, began: float) -> PrimaryState | None:
    if row["wal"] is None:
        return None
    return PrimaryState(began, row["started_at"], row["wal"], row["read_at"].timestamp())
