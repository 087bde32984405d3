"""Rate limits: token buckets in memory, which workers share for those who use them heavily.

A request is decided by the worker that gets it, at once and without a round trip. Where a client
has used SHARED_FROM of an allowance in one worker, that worker adds it to the database within
EXCHANGE_SECONDS and takes over what the other workers added. So all workers of a database
together enforce one limit, except for what a client does within one exchange.

A bucket is one number: the time at which it is full again. Spending a token moves that time by
`Policy.cost` seconds; a bucket that would need more than WINDOW seconds is empty.
"""

import asyncio
import hashlib
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Literal, TypeAlias, get_args

from cruddur.db import rates as db
from cruddur.db.pool import Database, DatabaseUnavailableError
from cruddur.telemetry.background import background
from cruddur.telemetry.error_reporting import report
from cruddur.telemetry.operation import Instruments

logger = logging.getLogger(__name__)

RateClass: TypeAlias = Literal["read", "write", "search", "account", "upload", "stream", "other"]
"""Requests that share one allowance."""

CLASSES: tuple[RateClass, ...] = get_args(RateClass)

WINDOW = 60
"""Seconds that an empty bucket takes to fill up."""

NETWORK_FACTOR = 4
"""How many times the allowance of one address an IPv6 /48 network has."""

EXCHANGE_SECONDS = 1.0
"""Time between two exchanges of this worker."""

SHARED_FROM = WINDOW / 20
"""Seconds of spending in this worker from which it is shared. Ordinary people stay below, so
that they cause no statement."""

PATIENCE_SECONDS = 1.0
"""How long an exchange waits for a connection of the pool."""

BUCKETS = 50_000
"""Buckets in memory at most, some 15 MB. Full ones are dropped first, then the oldest."""

FEW = 1024
"""Buckets from which full ones are dropped at all."""

_ROUNDING = 1e-6
"""Seconds; what adding many costs may be wrong by."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit: so many requests of a class in WINDOW seconds, all of them at once if need be.

    Attributes:
        name: as clients see it.
        quota: requests.
        cost: seconds that the bucket takes to regain one request.
        header: the policy as `RateLimit-Policy` has it.
    """

    name: str
    quota: int
    cost: float
    header: str


Charge: TypeAlias = tuple[Policy, str]
"""A limit, and the client that it is applied to."""


@dataclass(slots=True)
class _Bucket:
    full_at: float
    unshared: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of one limit.

    Attributes:
        policy: the limit.
        remaining: requests that would be admitted now.
        reset: seconds until there is one more.
    """

    policy: Policy
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a request.

    Attributes:
        standings: what is left of each limit that it counts towards.
        retry_after: seconds after which to try again, or None if the request is admitted.
    """

    standings: Sequence[Standing]
    retry_after: int | None


class Rates:
    """The buckets of one worker."""

    def __init__(
        self,
        quotas: Mapping[str, int],
        address_factor: int,
    ) -> None:
        """Set the limits.

        Args:
            quotas: requests of each class in WINDOW seconds that an account may send.
            address_factor: how many times as many an address may send.
        """
        self.of_account = _policies("account", quotas, 1)
        self.of_address = _policies("address", quotas, address_factor)
        self.of_network = _policies("network", quotas, address_factor * NETWORK_FACTOR)
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._heavy: set[tuple[str, str]] = set()
        self._prune_at = FEW

    def decide(self, charges: Iterable[Charge]) -> Decision:
        """Admit a request and charge it to every limit, or refuse it and charge nothing."""
        now = monotonic()
        wait = 0.0
        found: list[tuple[Policy, tuple[str, str], _Bucket]] = []
        for policy, client in charges:
            key = (policy.name, client)
            bucket = self._buckets.get(key) or self._add(key, now)
            if bucket.full_at < now:
                bucket.full_at, bucket.unshared = now, 0.0
            wait = max(wait, bucket.full_at - now + policy.cost - WINDOW)
            found.append((policy, key, bucket))
        if wait > _ROUNDING:
            standings = [_standing(policy, bucket.full_at - now) for policy, _, bucket in found]
            return Decision(standings, math.ceil(wait))
        for policy, key, bucket in found:
            bucket.full_at += policy.cost
            bucket.unshared += policy.cost
            if bucket.unshared >= SHARED_FROM:
                self._heavy.add(key)
        standings = [_standing(policy, bucket.full_at - now) for policy, _, bucket in found]
        return Decision(standings, None)

    @property
    def has_heavy_clients(self) -> bool:
        """Whether there is anything to share."""
        return bool(self._heavy)

    async def share(self, database: Database) -> None:
        """Add what heavy clients spent here to the database, and take over the totals.

        Raises:
            DatabaseUnavailableError: nothing was shared; it will be with the next exchange.
        """
        now = monotonic()
        heavy, self._heavy = self._heavy, set()
        spent: dict[bytes, float] = {}
        buckets: dict[bytes, _Bucket] = {}
        for key in heavy:
            bucket = self._buckets.get(key)
            if bucket is not None and bucket.full_at > now:
                digest = hashlib.blake2b("\n".join(key).encode(), digest_size=16).digest()
                buckets[digest] = bucket
                spent[digest] = min(bucket.unshared, bucket.full_at - now)
                bucket.unshared = 0.0
        try:
            async with database.connection(PATIENCE_SECONDS) as conn:
                totals = await db.upsert_spending(conn, spent)
        except BaseException:
            self._heavy |= heavy
            for digest, seconds in spent.items():
                buckets[digest].unshared += seconds
            raise
        now = monotonic()
        for digest, seconds in totals.items():
            bucket = buckets[digest]
            bucket.full_at = max(bucket.full_at, now + seconds + bucket.unshared)

    def _add(self, key: tuple[str, str], now: float) -> _Bucket:
        if len(self._buckets) >= self._prune_at:
            self._prune(now)
        self._buckets[key] = bucket = _Bucket(now)
        return bucket

    def _prune(self, now: float) -> None:
        """Drop full buckets, and old ones if there are still too many."""
        kept = [item for item in self._buckets.items() if item[1].full_at > now]
        self._buckets = dict(kept[-BUCKETS * 3 // 4 :])
        self._prune_at = min(max(FEW, 2 * len(self._buckets)), BUCKETS)


async def run_rate_exchange(rates: Rates, database: Database, instruments: Instruments) -> None:
    """Share the buckets with the other workers, every EXCHANGE_SECONDS, until cancelled."""
    is_away = False
    while True:
        await asyncio.sleep(EXCHANGE_SECONDS)
        if not rates.has_heavy_clients:
            continue
        with background("share rates", instruments):
            try:
                await rates.share(database)
            except DatabaseUnavailableError as error:
                if not is_away:
                    logger.warning("rate limits hold for each worker alone: %s", error)
                is_away = True
            except Exception as error:
                report(error, "sharing rate limits")
            else:
                is_away = False


def _policies(scope: str, quotas: Mapping[str, int], factor: int) -> Mapping[RateClass, Policy]:
    return {name: _policy(f"{scope}-{name}", quotas[name] * factor) for name in CLASSES}


def _policy(name: str, quota: int) -> Policy:
    return Policy(name, quota, WINDOW / quota, f'"{name}";q={quota};w={WINDOW}')


def _standing(policy: Policy, debt: float) -> Standing:
    """Return what is left of a limit whose bucket is full again in `debt` seconds."""
    remaining = max(0, int((WINDOW - debt) / policy.cost + _ROUNDING))
    until_next = debt + (remaining + 1) * policy.cost - WINDOW
    return Standing(policy, remaining, max(1, math.ceil(until_next - _ROUNDING)))
