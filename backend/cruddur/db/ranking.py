"""Candidates for rankings of live cruds: their scores, and how expiries change them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cruddur.db.statements import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """An item of a ranking, or one that enters it when others lose score by expiry.

    Attributes:
        item: the ranked item.
        score: its score at `read_at`.
        falls: the times and amounts of its losses.
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
