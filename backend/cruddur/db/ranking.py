"""What a ranking of live cruds is made of: scores, and what expiry takes away from them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cruddur.db.statements import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """Something that is in a ranking, or gets into it when others lose by expiry.

    Attributes:
        item: what is ranked.
        score: its score at `read_at`.
        falls: when it loses how much.
        read_at: the database's clock.
    """

    item: T
    score: int
    falls: tuple[tuple[datetime, int], ...]
    read_at: datetime


def candidate(item: T, row: Row) -> Candidate[T]:
    """Return an item with the columns `score`, `ends`, `falls` and `read_at` of its row."""
    falls = tuple(zip(row["ends"] or (), row["falls"] or (), strict=True))
    return Candidate(item, row["score"], falls, row["read_at"])
