"""Limit account calls, with counters that all workers share.

Unknown clients must not use up the attempts that the owner of an account needs. So attempts are
counted first per pair of account and client. The limit for all clients of one account together is
ten times as high, and does not apply to clients that the owner has signed in from before.

The handle and the e-mail address of an account share one counter.
"""

import contextlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from cruddur.db import known_clients
from cruddur.db import throttles as db
from cruddur.db.pool import Database
from cruddur.db.statements import Connection
from cruddur.errors import CodeRequiredError, RateLimitedError
from cruddur.identity.keys import Secrets
from cruddur.services.client_addresses import address_key

PERIOD = timedelta(minutes=15)
"""The window in which attempts are counted, and the lifetime of a code (docs/api.md, C53)."""

UNKNOWN_CLIENTS_FACTOR = 10
"""Limit of attempts at one account by all unknown clients, as a multiple of one client's limit."""

MAX_UNCOUNTED_SUCCESSES = 20
"""Successful attempts per account and window that are not counted."""

MAIL_PERIOD = timedelta(minutes=5)
"""Time between two mails that `forgot`, or `resend`, sends to one address."""

ADDRESS_CHANGE_MAILS = 3
"""Maximum number of codes per account and window for a new address: as many as MAIL_PERIOD allows,
but at once, so that a mistyped address can be corrected."""

SIGN_UP_MAILS = 5
"""Maximum number of mails per address and window because of sign-ups."""

MAX_CODE_ATTEMPTS = 5
"""Maximum number of attempts at one code per client (docs/api.md, C53)."""

MAX_REQUESTERS = 2
"""Maximum number of clients with separate code attempts because they requested a code. With more,
an attacker with many addresses could make too many guesses."""


@dataclass(frozen=True, slots=True)
class Client:
    """A calling client. `device` is the token of the device cookie, if the request has one."""

    address: str
    device: str | None = None


@dataclass(frozen=True, slots=True)
class Requester:
    """A client that makes an account call.

    Attributes:
        account: the name of the account in buckets: a uuid, or the login if there is no such user.
        source: the name of the client in buckets: a device that the user has signed in from, or
            else the address.
        is_device: `source` is a device.
        is_known: the user has signed in from this device or address before.
    """

    account: str
    source: str
    is_device: bool
    is_known: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """A counted attempt, with the buckets that count it."""

    kind: str
    requester: Requester
    buckets: list[str]


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts attempts in windows of PERIOD; the limits are settings.

    Each count commits separately, so that a failed attempt counts too.
    """

    database: Database
    secrets: Secrets
    address_attempts: int
    account_attempts: int

    async def attempt(self, kind: str, login: str, client: Client) -> Attempt:
        """Count an attempt at the account of a handle or an e-mail address.

        Raises:
            RateLimitedError: too many attempts by this client, from its address or at this account.
        """
        async with self.database.connection() as conn:
            requester = await self._identify(conn, login.lower(), client)
            buckets = self._buckets(kind, requester, address_key(client.address))
            # A full bucket ends the loop before later ones are charged.
            for bucket, limit in buckets.items():
                counted = await db.count_attempt(conn, bucket=bucket, period=PERIOD)
                if counted.attempts > limit:
                    raise RateLimitedError(counted.retry_after)
        return Attempt(kind, requester, list(buckets))

    @contextlib.asynccontextmanager
    async def counting(self, kind: str, login: str, client: Client) -> AsyncIterator[Attempt]:
        """Count what the caller does as an attempt, as `attempt`, and refund it if it succeeds.

        An attempt that only lacks the second factor is refunded, too.
        """
        attempt = await self.attempt(kind, login, client)
        try:
            yield attempt
        except CodeRequiredError:
            await self.refund(attempt)
            raise
        await self.refund(attempt)

    async def refund(self, attempt: Attempt) -> None:
        """Refund a successful attempt, unless too many attempts of the window succeeded."""
        bucket = f"{attempt.kind}:successes:{attempt.requester.account}"
        async with self.database.connection() as conn:
            counted = await db.count_attempt(conn, bucket=bucket, period=PERIOD)
            if counted.attempts <= MAX_UNCOUNTED_SUCCESSES:
                await db.refund_attempt(conn, buckets=attempt.buckets)

    async def record_client(self, conn: Connection, user_uuid: UUID, client: Client) -> None:
        """Record a client of an authenticated user as known."""
        hashes = {self._hashes(name)[0] for name in _names(client)}
        await known_clients.upsert_clients(conn, user_uuid=user_uuid, hashes=sorted(hashes))

    async def start_code(
        self, attempt: Attempt, purpose: str, mails: int = 1, period: timedelta = MAIL_PERIOD
    ) -> bool:
        """Count a request for a code, and give the client separate code attempts.

        Args:
            attempt: the attempt.
            purpose: what the code is for.
            mails: the maximum number of mails in a period.
            period: how long a mail counts.

        Returns:
            False if too many mails were sent; the last code is still valid.
        """
        requester = attempt.requester
        own_bucket, shared_bucket = _code_buckets(purpose, requester)
        requesters_bucket = _requesters_bucket(purpose, requester)
        async with self.database.connection() as conn:
            sent = await db.count_attempt(conn, bucket=_mail_bucket(attempt), period=period)
            is_new = sent.attempts <= mails
            if is_new:
                await db.restart(
                    conn, buckets=[own_bucket, shared_bucket, requesters_bucket], period=PERIOD
                )
            counted = await db.count_attempt(conn, bucket=requesters_bucket, period=PERIOD)
            if not is_new and counted.attempts <= MAX_REQUESTERS:
                await db.open_bucket(conn, bucket=own_bucket, period=PERIOD)
        return is_new

    async def start_sign_up(self, attempt: Attempt) -> bool:
        """Count a sign-up, which has its own code, and give the client separate code attempts.

        Returns:
            False if sign-ups have caused too many mails to this address.
        """
        own_bucket, _ = _code_buckets("confirm", attempt.requester)
        requesters_bucket = _requesters_bucket("confirm", attempt.requester)
        async with self.database.connection() as conn:
            counted = await db.count_attempt(conn, bucket=requesters_bucket, period=PERIOD)
            if counted.attempts <= MAX_REQUESTERS:
                await db.restart(conn, buckets=[own_bucket], period=PERIOD)
            mails = await db.count_attempt(conn, bucket=_mail_bucket(attempt), period=PERIOD)
        return mails.attempts <= SIGN_UP_MAILS

    async def refund_mail(self, attempt: Attempt) -> None:
        """Refund a mail that was not sent."""
        async with self.database.connection() as conn:
            await db.refund_attempt(conn, buckets=[_mail_bucket(attempt)])

    async def count_code_attempt(self, attempt: Attempt, purpose: str) -> bool:
        """Count an attempt at a code; return False if the client has no attempts left.

        Clients that requested the code, and known clients, have separate counters. All others
        share one.
        """
        own_bucket, shared_bucket = _code_buckets(purpose, attempt.requester)
        async with self.database.connection() as conn:
            attempts = await db.count_open_attempt(conn, bucket=own_bucket)
            if attempts is None:
                bucket = own_bucket if attempt.requester.is_known else shared_bucket
                counted = await db.count_attempt(conn, bucket=bucket, period=PERIOD)
                attempts = counted.attempts
        return attempts <= MAX_CODE_ATTEMPTS

    async def _identify(self, conn: Connection, login: str, client: Client) -> Requester:
        address, *device = _names(client)
        login_match = await known_clients.select_login(
            conn,
            login=login,
            address_hashes=self._hashes(address),
            device_hashes=self._hashes(*device),
        )
        if login_match is None:
            return Requester(login, address, is_device=False, is_known=False)
        return Requester(
            account=str(login_match.uuid),
            source=device[0] if login_match.knows_device else address,
            is_device=login_match.knows_device,
            is_known=login_match.knows_device or login_match.knows_address,
        )

    def _buckets(self, kind: str, requester: Requester, address: str) -> dict[str, int]:
        pair_bucket = {f"{kind}:pair:{requester.account}:{requester.source}": self.account_attempts}
        if requester.is_device:  # other clients at its address are not counted for it
            return pair_bucket
        buckets = {f"{kind}:address:{address}": self.address_attempts, **pair_bucket}
        if not requester.is_known:
            buckets[f"{kind}:strangers:{requester.account}"] = (
                self.account_attempts * UNKNOWN_CLIENTS_FACTOR
            )
        return buckets

    def _hashes(self, *names: str) -> list[bytes]:
        """Return the digests of client names with every key; the signing key's first."""
        keys = self.secrets()
        return [hmac.digest(key, name.encode(), "sha256") for name in names for key in keys]


def _names(client: Client) -> list[str]:
    """Return the names of a client's address and of its device, if it has one."""
    address = f"address {address_key(client.address)}"
    return [address] if client.device is None else [address, f"device {client.device}"]


def _code_buckets(purpose: str, requester: Requester) -> tuple[str, str]:
    """Return the names of the buckets of code attempts: the client's own, and the shared one."""
    return (
        f"{purpose}:tries:{requester.account}:{requester.source}",
        f"{purpose}:tries:{requester.account}",
    )


def _requesters_bucket(purpose: str, requester: Requester) -> str:
    return f"{purpose}:requesters:{requester.account}"


def _mail_bucket(attempt: Attempt) -> str:
    return f"{attempt.kind}:mail:{attempt.requester.account}"
