"""Signing in, and renewing a session, takes seconds and sometimes fails.

Cause: Cognito permits ten calls in ten seconds. The service repeats a rejected call at once, up to
twelve times, so that no sign-in gets a turn.

Telemetry: for the sign-ins that fail, `app.http.calls` is 12. Their traces repeat a call to
Cognito, whose `http.response.status_code` is 400.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import httpx
from quart import Quart

from cruddur import http_client
from cruddur.db.statements import Connection
from cruddur.identity.cognito import CognitoAccounts
from cruddur.resources import Resources
from cruddur.services.accounts import Accounts
from cruddur.services.concurrent_calls import ConcurrentCalls
from cruddur.services.throttling import Throttle
from cruddur.settings import Settings
from cruddur.telemetry.http_calls import MeasuredClient
from fakes.cognito import FakeCognito
from load.people import PASSWORD
from scenarios.scenario import Scenario
from scenarios.threads import in_thread

QUOTA = (10, 10.0)
"""How many calls the pool accepts in how many seconds."""

ACCESS_SECONDS = 70
"""How long access tokens are valid. The load test renews them a minute earlier."""

MAX_ATTEMPTS = 12


class SlowSignIn(Scenario):
    """A user pool with a quota, and a client that retries without a delay."""

    _pool: FakeCognito

    @contextmanager
    def surroundings(self, settings: Settings) -> Iterator[Settings]:
        """Run the user pool."""
        self._pool = FakeCognito()
        self._pool.quota = QUOTA
        self._pool.access_seconds = ACCESS_SECONDS
        with in_thread(self._serving()):
            yield replace(
                settings,
                account_provider="cognito",
                cognito_user_pool_id=self._pool.pool_id,
                cognito_client_id=self._pool.client_id,
                cognito_endpoint=self._pool.url,
            )

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        await self._pool.start()
        try:
            yield
        finally:
            await self._pool.stop()

    async def prepare(self, conn: Connection, members: Sequence[UUID]) -> None:
        """Move the members to the user pool."""
        for row in await conn.fetch(
            "SELECT uuid, handle, email FROM users WHERE uuid = ANY($1::uuid[])", members
        ):
            user = self._pool.add(row["email"], PASSWORD, preferred_username=row["handle"])
            await conn.execute(
                "UPDATE users SET issuer = $1, subject = $2 WHERE uuid = $3",
                self._pool.issuer,
                user.sub,
                row["uuid"],
            )

    def extend(self, app: Quart) -> None:
        """Replace the HTTP client of the account provider."""

        @app.while_serving
        async def retry_calls() -> AsyncGenerator[None, None]:
            resources: Resources = app.extensions["cruddur"]
            transport = http_client.BoundedTransport(
                httpx.AsyncHTTPTransport(), seconds=http_client.CALL_SECONDS
            )
            async with RetryingClient(transport=transport) as client:
                resources.telemetry.trace_calls(client)
                accounts = _accounts(resources, client)
                app.extensions["cruddur"] = replace(resources, accounts=accounts)
                yield


class RetryingClient(MeasuredClient):
    """A client that repeats a call at once when its quota is exceeded."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request until it is accepted, at most MAX_ATTEMPTS times."""
        for _ in range(MAX_ATTEMPTS):
            response = await super().send(request, **options)
            if b"TooManyRequestsException" not in response.content:
                break
        return response


def _accounts(resources: Resources, client: httpx.AsyncClient) -> Accounts:
    settings, database, keys = resources.settings, resources.database, resources.keys
    throttle = Throttle(
        database,
        partial(keys.secrets, "familiar clients"),
        settings.address_attempts,
        settings.account_attempts,
    )
    provider = CognitoAccounts(settings, database, client)
    return Accounts(database, provider, None, keys, throttle, ConcurrentCalls(), resources.reports)


SCENARIO = SlowSignIn
