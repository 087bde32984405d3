"""Limits on account calls, per address and per account, shared by all workers."""

from dataclasses import dataclass
from datetime import timedelta

from cruddur.db import throttles as db
from cruddur.db.pool import Database
from cruddur.errors import RateLimitedError

PERIOD = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts attempts in windows of PERIOD; the limits are settings."""

    database: Database
    address_attempts: int
    account_attempts: int

    async def attempt(self, kind: str, address: str, account: str) -> list[str]:
        """Count an attempt and return the buckets that it was counted in.

        It is committed on its own, so that an attempt that fails counts as well.

        Raises:
            RateLimitedError: too many, from this address or for this account.
        """
        buckets = {
            f"{kind}:address:{address}": self.address_attempts,
            f"{kind}:account:{account.lower()}": self.account_attempts,
        }
        async with self.database.connection() as conn:
            for bucket, most in buckets.items():
                counted = await db.count_attempt(conn, bucket=bucket, period=PERIOD)
                if counted.attempts > most:
                    raise RateLimitedError(counted.retry_after)
        return list(buckets)

    async def forgive(self, buckets: list[str]) -> None:
        """Take an attempt back: it succeeded, and nobody was guessing."""
        async with self.database.connection() as conn:
            await db.forgive_attempt(conn, buckets=buckets)
