"""Positions in the event log, and their text form, which is the id of an event on a stream.

Ids of events do not follow the order of commits, so a position is not an id. It is a snapshot: it
contains the events of the transactions that are complete in it. The next events are those that are
visible now and were not visible then (docs/decisions/0014).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

MAX_CHARACTERS = 2000
"""Maximum length of the text form. A longer one is replaced by a text that is no position."""

_UNKNOWN = "-"

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)

_SNAPSHOT = r"(\d{1,18})(?::(\d{1,18}(?:,\d{1,18})*))?"
_TEXT = re.compile(rf"(\d{{1,17}})-{_SNAPSHOT}(?:-{_SNAPSHOT}-(\d{{1,18}}))?", re.ASCII)


class Snapshot(NamedTuple):
    """A `pg_snapshot`: which transactions are complete. The driver reads and writes it as a tuple.

    Attributes:
        xmin: all transactions before this one are complete.
        xmax: no transaction from this one on is complete.
        xip: the transactions between the two that are in progress, in ascending order.
    """

    xmin: int
    xmax: int
    xip: tuple[int, ...]

    @property
    def newest(self) -> int:
        """The last transaction that may be complete; 0 if there is none."""
        return self.xmax - 1

    @property
    def size(self) -> int:
        """The number of complete transactions.

        Of two snapshots of one server, the later contains the earlier, so it is the larger one.
        """
        return self.xmax - len(self.xip)

    def has(self, xid: int) -> bool:
        """Whether a transaction is complete."""
        return xid < self.xmin or (xid < self.xmax and xid not in self.xip)

    def until(self, newest: int) -> "Snapshot":
        """Return the part of the snapshot up to a transaction."""
        xip = tuple(xid for xid in self.xip if xid <= newest)
        return Snapshot(min(xip, default=newest + 1), newest + 1, xip)


NOTHING = Snapshot(1, 1, ())
"""The snapshot of an empty log."""


@dataclass(frozen=True, slots=True)
class Position:
    """The events of one snapshot, and those of a later one up to an event.

    A snapshot ends with the transaction of the newest event that it contains. While that event
    exists, no crash or failover has lost it, so the server has reused none of the numbers of
    transactions up to it.

    Attributes:
        seen: a snapshot whose events are all before the position.
        until: a later snapshot, whose events are before the position up to `event_id`. It equals
            `seen` if the position is complete.
        event_id: 0 if the position is complete.
        at: the time of the newest event of `until`; of an empty log, the time of the snapshot.
    """

    seen: Snapshot
    until: Snapshot
    event_id: int
    at: datetime

    @property
    def is_complete(self) -> bool:
        """Whether the position is one snapshot."""
        return self.event_id == 0

    @property
    def end(self) -> "Position":
        """The complete position that follows in the middle of a snapshot, or the same one."""
        return Position(self.until, self.until, 0, self.at)

    def inside(self, end: "Position", event_id: int) -> "Position":
        """Return the position after one of the events between this position and a later one."""
        return Position(self.seen, end.until, event_id, end.at)

    def __str__(self) -> str:
        """Return the text form."""
        text = f"{(self.at - _EPOCH) // _MICROSECOND}-{_format(self.seen)}"
        if not self.is_complete:
            text += f"-{_format(self.until)}-{self.event_id}"
        return text if len(text) <= MAX_CHARACTERS else _UNKNOWN


def parse(text: str) -> Position | None:
    """Parse the text form of a position; None if it is not one."""
    match = _TEXT.fullmatch(text) if len(text) <= MAX_CHARACTERS else None
    if match is None:
        return None
    at, *snapshots, event_id = match.groups()
    try:
        seen = _parse_snapshot(*snapshots[:2])
        until = _parse_snapshot(*snapshots[2:]) if event_id else seen
    except ValueError:
        return None
    return Position(seen, until, int(event_id or 0), _EPOCH + int(at) * _MICROSECOND)


def _format(snapshot: Snapshot) -> str:
    """Return `xmax`, or `xmax:<distances of the transactions in progress from it>`."""
    distances = ",".join(str(snapshot.xmax - xid) for xid in snapshot.xip)
    return f"{snapshot.xmax}:{distances}" if distances else str(snapshot.xmax)


def _parse_snapshot(xmax: str, distances: str | None) -> Snapshot:
    last = int(xmax)
    xip = [last - int(distance) for distance in distances.split(",")] if distances else []
    # PostgreSQL rejects numbers that are out of range or not ascending.
    if last < 1 or [0, *xip, last] != sorted({0, *xip, last}):
        raise ValueError(f"{xmax}:{distances} is no snapshot")
    return Snapshot(min(xip, default=last), last, tuple(xip))
