"""Queries for counters of attempts, shared by all workers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from cruddur.db.statements import Connection, load

_ATTEMPT = load("throttles.attempt")
_FORGIVE = load("throttles.forgive")
_RESTART = load("throttles.restart")
_OPEN = load("throttles.open")
_ATTEMPT_OPEN = load("throttles.attempt_open")


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts in the current window, which ends in `retry_after` seconds."""

    attempts: int
    retry_after: int


async def count_attempt(conn: Connection, *, bucket: str, period: timedelta) -> Attempts:
    """Count an attempt in a bucket and return the attempts of its window."""
    row = await _ATTEMPT.row(conn, bucket=bucket, period=period)
    if row is None:
        raise RuntimeError("an upsert without a condition returned no row")
    return Attempts(**row)


async def refund_attempt(conn: Connection, *, buckets: Sequence[str]) -> None:
    """Subtract one attempt from each of the buckets."""
    await _FORGIVE.run(conn, buckets=buckets)


async def restart(conn: Connection, *, buckets: Sequence[str], period: timedelta) -> None:
    """Restart the windows of buckets without attempts."""
    await _RESTART.run(conn, buckets=buckets, period=period)


async def open_bucket(conn: Connection, *, bucket: str, period: timedelta) -> None:
    """Start the window of a bucket, unless it has one."""
    await _OPEN.run(conn, bucket=bucket, period=period)


async def count_open_attempt(conn: Connection, *, bucket: str) -> int | None:
    """Count an attempt in a bucket, or return None if the bucket has no open window."""
    attempts: int | None = await _ATTEMPT_OPEN.value(conn, bucket=bucket)
    return attempts
