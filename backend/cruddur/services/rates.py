"""Rate limits: token buckets in memory, whose usage is shared between workers for heavy clients.

The worker that receives a request decides at once, without a round trip. If a client has used
SHARED_FROM of an allowance in one worker, that worker adds the usage to the database within
EXCHANGE_SECONDS and reads what the other workers added. So all workers of a database enforce one
limit together, except for the requests between two exchanges.

A bucket is one number: the time at which it is full again. Spending a token moves that time by
`Policy.cost` seconds; a bucket that needs more than WINDOW seconds to refill is empty.
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

RateClass: TypeAlias = Literal[
    "read", "write", "search", "account", "upload", "stream", "telemetry", "other"
]
"""A class of requests that share one allowance."""

CLASSES: tuple[RateClass, ...] = get_args(RateClass)

WINDOW = 60
"""Seconds in which an empty bucket refills."""

NETWORK_FACTOR = 4
"""The allowance of an IPv6 /48 network, as a multiple of one address's."""

EXCHANGE_SECONDS = 1.0
"""Time between two exchanges with the database."""

SHARED_FROM = WINDOW / 20
"""Usage in one worker, in seconds, above which it is shared. Ordinary clients stay below it, so
they cause no statement."""

CONNECTION_TIMEOUT_SECONDS = 1.0
"""Seconds that an exchange waits for a connection of the pool."""

MAX_BUCKETS = 50_000
"""Maximum number of buckets, about 15 MB. Full ones are evicted first, then the oldest."""

MIN_PRUNED_BUCKETS = 1024
"""Number of buckets above which full ones are evicted."""

_ROUNDING = 1e-6
"""Largest rounding error of a sum of costs, in seconds."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One limit: a number of requests of a class in WINDOW seconds, which may come in one burst.

    Attributes:
        name: the name that clients see.
        quota: the number of requests.
        cost: seconds that the bucket takes to refill one request.
        header: the policy in the form of `RateLimit-Policy`.
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
class QuotaStatus:
    """The state of one limit after a decision.

    Attributes:
        policy: the limit.
        remaining: number of requests that would be accepted now.
        reset: seconds until one more request would be accepted.
    """

    policy: Policy
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision on a request.

    Attributes:
        statuses: the state of each limit that applies to the request.
        retry_after: seconds after which to try again, or None if the request is accepted.
    """

    statuses: Sequence[QuotaStatus]
    retry_after: int | None


class Rates:
    """The buckets of one worker."""

    def __init__(
        self,
        quotas: Mapping[str, int],
        token_quotas: Mapping[str, int],
        address_factor: int,
    ) -> None:
        """Set the limits.

        Args:
            quotas: requests of each class in WINDOW seconds that an account may send.
            token_quotas: the same for all API tokens of an account together.
            address_factor: the quota of an address, as a multiple of an account's.
        """
        self.account_policies = _policies("account", quotas, 1)
        self.token_policies = _policies("token", token_quotas, 1)
        self.address_policies = _policies("address", quotas, address_factor)
        self.network_policies = _policies("network", quotas, address_factor * NETWORK_FACTOR)
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._heavy: set[tuple[str, str]] = set()
        self._prune_at = MIN_PRUNED_BUCKETS

    def decide(self, charges: Iterable[Charge]) -> Decision:
        """Accept a request and charge it to each limit, or refuse it and charge nothing."""
        now = monotonic()
        wait = 0.0
        charged: list[tuple[Policy, tuple[str, str], _Bucket]] = []
        for policy, client in charges:
            key = (policy.name, client)
            bucket = self._buckets.get(key) or self._add(key, now)
            if bucket.full_at < now:
                bucket.full_at, bucket.unshared = now, 0.0
            wait = max(wait, bucket.full_at - now + policy.cost - WINDOW)
            charged.append((policy, key, bucket))
        if wait > _ROUNDING:
            statuses = [
                _quota_status(policy, bucket.full_at - now) for policy, _, bucket in charged
            ]
            return Decision(statuses, math.ceil(wait))
        for policy, key, bucket in charged:
            bucket.full_at += policy.cost
            bucket.unshared += policy.cost
            if bucket.unshared >= SHARED_FROM:
                self._heavy.add(key)
        statuses = [_quota_status(policy, bucket.full_at - now) for policy, _, bucket in charged]
        return Decision(statuses, None)

    @property
    def has_heavy_clients(self) -> bool:
        """Return whether there is usage to share."""
        return bool(self._heavy)

    async def share(self, database: Database) -> None:
        """Add the usage of heavy clients in this worker to the database, and read the totals.

        Raises:
            DatabaseUnavailableError: nothing was shared; the next exchange includes it.
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
            async with database.connection(CONNECTION_TIMEOUT_SECONDS) as conn:
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
        """Evict full buckets, and old ones if there are still too many."""
        kept = [item for item in self._buckets.items() if item[1].full_at > now]
        self._buckets = dict(kept[-MAX_BUCKETS * 3 // 4 :])
        self._prune_at = min(max(MIN_PRUNED_BUCKETS, 2 * len(self._buckets)), MAX_BUCKETS)


async def run_rate_exchange(rates: Rates, database: Database, instruments: Instruments) -> None:
    """Share the buckets with the other workers every EXCHANGE_SECONDS until cancelled."""
    is_unshared = False
    while True:
        await asyncio.sleep(EXCHANGE_SECONDS)
        if not rates.has_heavy_clients:
            continue
        with background("share rates", instruments):
            try:
                await rates.share(database)
            except DatabaseUnavailableError as error:
                if not is_unshared:
                    logger.warning("rate limits apply to each worker separately: %s", error)
                is_unshared = True
            except Exception as error:
                report(error, "sharing rate limits")
            else:
                is_unshared = False


def _policies(scope: str, quotas: Mapping[str, int], factor: int) -> Mapping[RateClass, Policy]:
    return {name: _policy(f"{scope}-{name}", quotas[name] * factor) for name in CLASSES}


def _policy(name: str, quota: int) -> Policy:
    return Policy(name, quota, WINDOW / quota, f'"{name}";q={quota};w={WINDOW}')


def _quota_status(policy: Policy, debt: float) -> QuotaStatus:
    """Return the state of a limit; its bucket is full again in `debt` seconds."""
    remaining = max(0, int((WINDOW - debt) / policy.cost + _ROUNDING))
    until_next = debt + (remaining + 1) * policy.cost - WINDOW
    return QuotaStatus(policy, remaining, max(1, math.ceil(until_next - _ROUNDING)))
