"""Candidates for rankings: their scores, and how expiries will lower them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cruddur.db.statements import Row

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Candidate(Generic[T]):
    """An item that is in a ranking, or can enter it when expiries lower the scores of others.

    Attributes:
        item: the ranked item.
        score: its score at `read_at`.
        decreases: the times at which expiries lower the score, with the amounts.
        read_at: the time of the reading by the database's clock.
    """

    item: T
    score: int
    decreases: tuple[tuple[datetime, int], ...]
    read_at: datetime


def candidate(item: T, row: Row) -> Candidate[T]:
    """Return an item with the columns `score`, `ends`, `falls` and `read_at` of its row."""
    decreases = tuple(zip(row["ends"] or (), row["falls"] or (), strict=True))
    return Candidate(item, row["score"], decreases, row["read_at"])
