"""Counting attempts, shared by all workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cruddur.db.statements import Connection, load

_ATTEMPT = load("throttles.attempt")
_FORGIVE = load("throttles.forgive")


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many there were in the running window, which ends in `retry_after` seconds."""

    attempts: int
    retry_after: int


async def count_attempt(conn: Connection, *, bucket: str, period: timedelta) -> Attempts:
    """Count one more attempt of a bucket."""
    row = await _ATTEMPT.row(conn, bucket=bucket, period=period)
    if row is None:
        raise RuntimeError("an upsert without a condition returned no row")
    return Attempts(**row)


async def forgive_attempt(conn: Connection, *, buckets: Sequence[str]) -> None:
    """Take one attempt back from each bucket."""
    await _FORGIVE.run(conn, buckets=buckets)
